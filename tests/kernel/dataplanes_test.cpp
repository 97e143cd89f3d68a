// A node that goes from one dataplane to another while packets come at a high rate.
#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include "backends/iptables/iptables.h"
#include "runtime/nft.h"
#include "tests/kernel/bpf_verdicts.h"
#include "tests/kernel/days.h"
#include "tests/scale.h"

using namespace polecat;
using namespace polecat::kernel_test;
using decision::Verdict;

namespace {

void must_have(const Result<bool>& done) {
    REQUIRE_MESSAGE(done.ok(), (done ? "" : done.error()));
}

void must_have(const Result<driver::Loaded>& done) {
    REQUIRE_MESSAGE(done.ok(), (done ? "" : done.error()));
    CHECK(done->whole);
    CHECK_FALSE(done->steps.empty());
}

void load_nftables(Node& node) {
    must_have(driver::load_rules(node.image, {}));
    CHECK(node.kernel_agrees());
}

/// Rules first: where the table goes at once, packets on their way miss its elements and are
/// dropped.
void unload_nftables() {
    must_have(runtime::nft_load("flush table inet polecat\n"));
    must_have(runtime::nft_load("delete table inet polecat\n"));
}

/// The lines that hook chains in, the other way round, as docs/kernels.md has it.
void unhook_iptables(Iptables variant) {
    std::string away = iptables::filter_hooks();
    for (std::size_t at = 0; (at = away.find("-I ", at)) != std::string::npos;)
        away.replace(at, 2, "-D");
    for (const net::Family family : {net::Family::V4, net::Family::V6})
        must_have(runtime::iptables_restore(variant, family, away));
}

} // namespace

TEST_CASE("a node that goes from one dataplane to another loses nothing and lets nothing through") {
    if (!may_ask_bpf())
        return;
    const auto start = std::chrono::steady_clock::now();
    TrafficTally tally;
    for (const Iptables variant : {Iptables::Nft, Iptables::Legacy}) {
        const driver::LoadOptions options = bpf_options(variant);
        const Days days(variant == Iptables::Nft ? 81 : 82);
        testing::Random random(8);
        Node node(days.text(), {"203.0.113.7", "203.0.113.70", "2600::1"});
        runtime::Traffic traffic(node.lab, rate_of_traffic());
        REQUIRE(traffic.watch_hosts().ok());
        const std::vector<std::function<void()>> moves{
            [&] { must_have(load_tables_of(node, options)); },
            [] { unload_nftables(); },
            [&] { must_have(driver::load_filters(filters_of(node), options)); },
            [&] { load_nftables(node); },
            [&] { unhook_iptables(variant); },
        };
        const std::uint64_t machine = runtime::dropped_by_machine();
        for (std::size_t i = 0; i < moves.size(); ++i) {
            INFO("move ", i);
            const auto flows = candidates(node, random);
            std::vector<Verdict> same;
            for (const PacketSpec& flow : flows)
                same.push_back(node.expected(flow));
            REQUIRE(traffic.send(streams_of(node, flows, same, i, random)).ok());
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            moves[i]();
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            REQUIRE(traffic.send({}).ok());
        }
        count(traffic, tally);
        tally.plans += moves.size();
        tally.steps += moves.size();
        tally.dropped_by_machine += runtime::dropped_by_machine() - machine;
    }
    conclude(tally, start);
}
