// Plans on the kernel: between any two steps, whatever both policies allow passes and whatever both
// deny is dropped; flows that are there are judged anew where that is due.
#include <algorithm>
#include <array>

#include <doctest/doctest.h>

#include "tests/backends/changes.h"
#include "tests/kernel/node.h"

using namespace polecat;
using namespace polecat::kernel_test;
using decision::Verdict;
using testing::Random;

namespace {

/// Flows between pods, a port each, from a source port that no flow had.
std::vector<PacketSpec> fresh_flows(Node& node, const std::vector<net::Address>& pods) {
    std::vector<PacketSpec> out;
    for (const net::Address& from : pods)
        for (const net::Address& to : pods) {
            if (from.family != to.family || node.host_of(from) == node.host_of(to))
                continue;
            PacketSpec spec;
            spec.protocol = out.size() % 2 == 0 ? net::kTcp : net::kUdp;
            spec.source = from;
            spec.destination = to;
            spec.destination_port = std::array<std::uint16_t, 4>{53, 80, 443, 8080}[out.size() % 4];
            out.push_back(spec);
        }
    return out;
}

std::vector<net::Address> pods_of(const backends::NodeImage& image) {
    std::vector<net::Address> out;
    for (const backends::DispatchEntry& entry : image.dispatch)
        out.push_back(entry.address);
    return out;
}

std::vector<Verdict> verdicts(const Node& node, const std::vector<PacketSpec>& flows) {
    std::vector<Verdict> out;
    for (const PacketSpec& flow : flows)
        out.push_back(node.expected(flow));
    return out;
}

struct Tally {
    std::size_t plans = 0, steps = 0, flows = 0, passed = 0;
};

/// `wanted`: what both policies say of the flows; Depends where they do not agree.
void check_between(Node& node, std::vector<PacketSpec> flows, const std::vector<Verdict>& wanted,
                   Tally& tally) {
    for (PacketSpec& flow : flows) {
        flow.nonce = node.next_nonce++;
        flow.source_port = static_cast<std::uint16_t>(20000 + flow.nonce % 40000);
        REQUIRE(
            node.lab.send(node.host_of(flow.source), runtime::make_packet(flow), flow.destination));
    }
    node.lab.collect(50);
    for (std::size_t i = 0; i < flows.size(); ++i) {
        if (wanted[i] == Verdict::Depends)
            continue;
        const bool arrived = node.lab.has_seen(node.host_of(flows[i].destination), flows[i].nonce);
        ++tally.flows;
        tally.passed += arrived ? 1 : 0;
        CHECK_MESSAGE(arrived == (wanted[i] == Verdict::Allow),
                      net::to_string(flows[i].source)
                          << " -> " << net::to_string(flows[i].destination) << " port "
                          << flows[i].destination_port);
    }
}

/// What the new policy says of the flows where that is what the old one said. Flows of pods that go
/// are left out.
std::vector<Verdict> agreed(const Node& node, std::vector<PacketSpec>& flows,
                            const std::vector<Verdict>& before) {
    const auto pods = pods_of(node.image);
    const auto is_there = [&](const net::Address& address) {
        return std::count(pods.begin(), pods.end(), address) != 0;
    };
    std::vector<PacketSpec> kept;
    std::vector<Verdict> out;
    for (std::size_t i = 0; i < flows.size(); ++i) {
        if (!is_there(flows[i].source) || !is_there(flows[i].destination))
            continue;
        kept.push_back(flows[i]);
        const Verdict after = node.expected(flows[i]);
        out.push_back(after == before[i] ? after : Verdict::Depends);
    }
    flows = std::move(kept);
    return out;
}

} // namespace

TEST_CASE("between the steps of a plan nothing is lost and nothing let through") {
    if (!may_run())
        return;
    Tally tally;
    std::uint64_t fresh = 9000;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        INFO("seed ", seed);
        Random random(seed);
        auto documents = testing::documents_of(testing::ClusterWriter(seed, {}).write());
        Node node(testing::text_of(documents), {"203.0.113.7"});
        for (int change = 0; change < 5; ++change) {
            INFO("change ", change);
            const auto old_pods = pods_of(node.image);
            std::vector<PacketSpec> flows = fresh_flows(node, old_pods);
            const auto old_verdicts = verdicts(node, flows);
            testing::change(documents, random, fresh);
            std::vector<Verdict> wanted;
            ++tally.plans;
            node.change_by_plan(testing::text_of(documents), [&] {
                if (wanted.empty())
                    wanted = agreed(node, flows, old_verdicts);
                ++tally.steps;
                check_between(node, flows, wanted, tally);
            });
            CHECK(node.kernel_agrees());
        }
    }
    MESSAGE(tally.plans << " plans of " << tally.steps << " steps, " << tally.flows << " flows, "
                        << tally.passed << " passed");
    CHECK(tally.flows > 2000);
    CHECK(tally.passed > 50);
}
