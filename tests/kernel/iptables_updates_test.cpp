// Plans of iptables while packets come at a high rate, and plans that are broken off.
#include <doctest/doctest.h>

#include "driver/load/load.h"
#include "runtime/process.h"
#include "tests/kernel/days.h"
#include "tests/kernel/iptables_rules.h"
#include "tests/scale.h"

using namespace polecat;
using namespace polecat::kernel_test;
using decision::Verdict;

namespace {

Change changes_of(Iptables variant) {
    return [variant](Node& node, const std::string& manifests, const std::function<void()>& ready) {
        node.expect(manifests);
        const iptables::Plan plan = prepare_iptables(variant, node);
        ready();
        for (const iptables::Plan::Step& step : plan.steps)
            take_iptables(variant, node, step);
        Node::forget(plan.forget);
        return plan.steps.size();
    };
}

/// Every flow's next packet is judged as the node expects.
void check_verdicts(Node& node, std::vector<PacketSpec> flows, std::uint16_t source_port) {
    for (PacketSpec& flow : flows) {
        flow.source_port = source_port;
        flow.nonce = node.next_nonce++;
        REQUIRE(
            node.lab.send(node.host_of(flow.source), runtime::make_packet(flow), flow.destination));
    }
    node.lab.collect(100);
    for (const PacketSpec& flow : flows)
        CHECK_MESSAGE(node.lab.has_seen(node.host_of(flow.destination), flow.nonce) ==
                          (node.expected(flow) == Verdict::Allow),
                      net::to_string(flow.source) << " -> " << net::to_string(flow.destination)
                                                  << ":" << flow.destination_port);
}

} // namespace

TEST_CASE("iptables: under traffic plans lose nothing and let nothing through") {
    if (!may_run() || !may_run_iptables())
        return;
    for (const Iptables variant : {Iptables::Nft, Iptables::Legacy})
        check_days(12, load_iptables(variant), changes_of(variant));
}

TEST_CASE("iptables: under traffic policy of host endpoints changes without loss and leak") {
    if (!may_run() || !may_run_iptables())
        return;
    for (const Iptables variant : {Iptables::Nft, Iptables::Legacy})
        check_days(12, load_iptables(variant), changes_of(variant), Hosts::Tracking);
}

TEST_CASE("iptables: rules of ours in the other variant are refused before anything is done") {
    if (!may_run() || !may_run_iptables())
        return;
    const Node node(Days(73).text(), {"203.0.113.7"}, {}, load_iptables(Iptables::Legacy));
    const auto sets = runtime::ipset_save();
    driver::LoadOptions options;
    options.variant = Iptables::Nft;
    for (const bool only_tell : {true, false}) {
        options.only_tell = only_tell;
        const auto done = driver::load_filters(filters_of(node), options);
        REQUIRE_FALSE(done.ok());
        CHECK_MESSAGE(done.error().find("--variant legacy") != std::string::npos, done.error());
    }
    CHECK(*runtime::ipset_save() == *sets);
    CHECK(iptables_agree(Iptables::Legacy, node));
    // By the words of the message.
    for (const std::string family : {"iptables", "ip6tables"}) {
        const auto away = runtime::run_program(
            {"sh", "-c",
             family + "-legacy-save | grep -v '[ :]polecat' | " + family + "-legacy-restore"},
            "");
        REQUIRE(away.ok());
        REQUIRE_MESSAGE(away->exit_code == 0, away->error);
    }
    const auto done = driver::load_filters(filters_of(node), options);
    REQUIRE_MESSAGE(done.ok(), (done ? "" : done.error()));
    CHECK(iptables_agree(Iptables::Nft, node));
}

TEST_CASE("iptables: after a plan that was broken off the next one leads to its end") {
    if (!may_run() || !may_run_iptables())
        return;
    std::size_t broken = 0;
    for (const Iptables variant : {Iptables::Nft, Iptables::Legacy}) {
        Days days(variant == Iptables::Nft ? 71 : 72);
        testing::Random random(7);
        Node node(days.text(), {"203.0.113.7", "203.0.113.70", "2600::1"}, {},
                  load_iptables(variant));
        for (std::size_t day = 0; day < count_of("POLECAT_KERNEL_BROKEN", 8); ++day) {
            INFO("day ", day);
            const auto flows = candidates(node, random);
            check_verdicts(node, flows, 20000);
            node.expect(days.next());
            const iptables::Plan plan = prepare_iptables(variant, node);
            const std::size_t taken = random.below(plan.steps.size() + 1);
            for (std::size_t i = 0; i < taken; ++i)
                take_iptables(variant, node, plan.steps[i]);
            Node::forget(plan.forget);
            broken += taken < plan.steps.size() ? 1 : 0;
            if (random.chance(50)) // to another end than it had
                node.expect(days.next());
            const iptables::Plan next = prepare_iptables(variant, node);
            for (const iptables::Plan::Step& step : next.steps)
                take_iptables(variant, node, step);
            Node::forget(next.forget);
            CHECK(iptables_agree(variant, node));
            const auto now = candidates(node, random);
            check_verdicts(node, now, 20000);
            check_verdicts(node, now, static_cast<std::uint16_t>(21000 + day));
        }
    }
    CHECK(broken > 4);
}
