// A node that goes from one dataplane to another while packets come at a high rate.
#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include "backends/iptables/iptables.h"
#include "driver/load/filter_rules.h"
#include "runtime/nft.h"
#include "tests/expressions.h"
#include "tests/host_policies.h"
#include "tests/kernel/bpf_verdicts.h"
#include "tests/kernel/days.h"
#include "tests/kernel/host_node.h"
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

void load_nftables(const Node& node) {
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
    const auto held = driver::held_rules(variant);
    REQUIRE_MESSAGE(held.ok(), (held ? "" : held.error()));
    for (const net::Family family : {net::Family::V4, net::Family::V6})
        must_have(runtime::iptables_restore(
            variant, family,
            testing::replaced(iptables::filter_hooks() +
                                  iptables::host_hooks(held->rules.table(family)),
                              "-I ", "-D ")));
}

/// A dataplane as what a node's policy is loaded by and taken away by.
struct Dataplane {
    std::string name;
    Node::Loader load;
    std::function<void()> unload;
};

Dataplane dataplane_nftables() {
    return {"nftables", load_nftables, unload_nftables};
}
Dataplane dataplane_iptables(Iptables variant) {
    return {variant == Iptables::Nft ? "iptables-nft" : "iptables-legacy",
            [variant](const Node& node) {
                driver::LoadOptions options;
                options.variant = variant;
                must_have(driver::load_filters(filters_of(node), options));
            },
            [variant] { unhook_iptables(variant); }};
}
Dataplane dataplane_bpf(Iptables variant) {
    return {variant == Iptables::Nft ? "BPF, iptables-nft" : "BPF, iptables-legacy",
            [options = bpf_options(variant)](const Node& node) {
                must_have(load_tables_of(node, options));
            },
            [variant] { unhook_iptables(variant); }};
}

std::vector<std::pair<Dataplane, Dataplane>> pairs_of_dataplanes() {
    std::vector<std::pair<Dataplane, Dataplane>> out;
    for (const Iptables variant : {Iptables::Nft, Iptables::Legacy})
        for (const Dataplane& each : {dataplane_iptables(variant), dataplane_bpf(variant)}) {
            out.emplace_back(dataplane_nftables(), each);
            out.emplace_back(each, dataplane_nftables());
        }
    return out;
}

/// PreDNAT policy allows one port, to the host and through it; normal policy none.
std::string early_allows(const std::string& port) {
    return host_manifests() + testing::host_endpoint("uplink") +
           testing::host_policy("early", "preDNAT: true, applyOnForward: true, types: [Ingress], "
                                         "ingress: [{action: Allow, protocol: UDP, destination: "
                                         "{ports: [" +
                                             port + "]}}]") +
           testing::host_policy("none", "applyOnForward: true, types: [Ingress], ingress: "
                                        "[{action: Deny, protocol: UDP}]");
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

TEST_CASE("policy of host endpoints that changes with the dataplane loses nothing and lets nothing "
          "through") {
    if (!may_ask_bpf())
        return;
    const auto start = std::chrono::steady_clock::now();
    TrafficTally tally;
    for (const Iptables variant : {Iptables::Nft, Iptables::Legacy}) {
        const Dataplane nftables = dataplane_nftables(), iptables = dataplane_iptables(variant),
                        bpf = dataplane_bpf(variant);
        Days days(variant == Iptables::Nft ? 91 : 92, Hosts::Tracking);
        testing::Random random(9);
        Node node(days.text(), {"203.0.113.7", "203.0.113.70", "2600::1"}, {}, nftables.load);
        runtime::Traffic traffic(node.lab, rate_of_traffic());
        const std::uint64_t machine = runtime::dropped_by_machine();
        // Between iptables and bpf the one takes the place of the other.
        const std::vector<std::pair<const Dataplane*, const Dataplane*>> moves{
            {&bpf, &nftables},      {&iptables, nullptr}, {&nftables, &iptables},
            {&iptables, &nftables}, {&bpf, nullptr},      {&nftables, &bpf}};
        for (std::size_t i = 0; i < count_of("POLECAT_KERNEL_MOVES", moves.size()); ++i) {
            const auto& [comes, goes] = moves[i % moves.size()];
            INFO("move ", i, " to ", comes->name);
            const auto flows = candidates(node, random);
            std::vector<Verdict> before;
            for (const PacketSpec& flow : flows)
                before.push_back(node.expected(flow));
            node.expect(days.next());
            REQUIRE(traffic.watch_hosts().ok());
            REQUIRE(traffic.send(streams_of(node, flows, before, i, random)).ok());
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            comes->load(node);
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            if (goes != nullptr)
                goes->unload();
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            REQUIRE(traffic.send({}).ok());
            ++tally.plans;
            ++tally.steps;
        }
        count(traffic, tally);
        tally.dropped_by_machine += runtime::dropped_by_machine() - machine;
    }
    conclude(tally, start);
}

TEST_CASE("no dataplane goes by what preDNAT policy of another took") {
    if (!may_ask_bpf())
        return;
    for (const auto& [old, next] : pairs_of_dataplanes()) {
        INFO("from ", old.name, " to ", next.name);
        HostNode host(early_allows("80"), old.load);
        const std::vector<const char*> ends{kHostAddress, "10.9.0.1"};
        const auto pass = [&](std::uint16_t port) {
            for (const char* to : ends)
                for (int packet = 0; packet < 3; ++packet)
                    CHECK(host.passes(spec_of(kNear, to, net::kUdp, port)));
        };
        const auto stop = [&](std::uint16_t port) {
            for (const char* to : ends)
                for (int packet = 0; packet < 3; ++packet)
                    CHECK_FALSE(host.passes(spec_of(kNear, to, net::kUdp, port)));
        };
        pass(80);
        next.load(host.node); // the same policy: what both allow passes both
        pass(80);
        stop(81);
        host.node.expect(early_allows("81"));
        next.load(host.node);
        stop(80);
        stop(81);
        old.unload();
        stop(80);
        pass(81);
    }
}
