// Plans on the kernel: whenever one is broken off, the node has the old policy or the new one.
#include <algorithm>
#include <array>

#include <doctest/doctest.h>

#include "tests/backends/changes.h"
#include "tests/kernel/node.h"
#include "tests/scale.h"

using namespace polecat;
using namespace polecat::kernel_test;
using decision::Verdict;
using testing::Random;

namespace {

/// A policy with what it says of flows.
struct Policy {
    explicit Policy(const std::string& text) { load_text(text, cluster); }
    bool allows(const PacketSpec& flow) const {
        return verdict_of(cluster.lowered, flow) == Verdict::Allow;
    }
    testing::RandomCluster cluster;
};

/// Flows between pods, a port each, from a source port that no flow had.
std::vector<PacketSpec> flows_between(const Node& node, const std::vector<net::Address>& pods) {
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

std::vector<net::Address> in_both(const std::vector<net::Address>& one,
                                  const std::vector<net::Address>& other) {
    std::vector<net::Address> out;
    for (const net::Address& each : one)
        if (std::count(other.begin(), other.end(), each) != 0)
            out.push_back(each);
    return out;
}

struct StepTally {
    std::size_t plans = 0, broken_off = 0, steps = 0, flows = 0, passed = 0;
};

/// Whether the kernel has exactly this policy.
void check_holds(Node& node, const Policy& policy, std::vector<PacketSpec> flows,
                 StepTally& tally) {
    for (PacketSpec& flow : flows) {
        flow.nonce = node.next_nonce++;
        flow.source_port = static_cast<std::uint16_t>(20000 + flow.nonce % 40000);
        REQUIRE(
            node.lab.send(node.host_of(flow.source), runtime::make_packet(flow), flow.destination));
    }
    node.lab.collect(50);
    for (const PacketSpec& flow : flows) {
        const bool arrived = node.lab.has_seen(node.host_of(flow.destination), flow.nonce);
        ++tally.flows;
        tally.passed += arrived ? 1 : 0;
        CHECK_MESSAGE(arrived == policy.allows(flow),
                      net::to_string(flow.source)
                          << " -> " << net::to_string(flow.destination) << " protocol "
                          << int{flow.protocol} << " port " << flow.destination_port);
    }
}

/// Changes the policy by a plan of which only some steps are done. Says whether it holds then.
bool break_off(Node& node, const std::string& held, const std::string& wanted, Random& random,
               StepTally& tally) {
    const Policy before(held), after(wanted);
    const auto pods = endpoints_of(node.image);
    const backends::Plan plan = node.prepare(wanted);
    const auto flows = flows_between(node, in_both(pods, endpoints_of(node.image)));
    ++tally.plans;
    const std::size_t done =
        random.chance(50) ? plan.steps.size() : random.below(plan.steps.size() + 1);
    bool switched = plan.steps.empty();
    for (std::size_t i = 0; i < done; ++i) {
        const backends::Plan::Step& step = plan.steps[i];
        INFO("after the step: ", step.what);
        node.take(step);
        switched = switched || step.what == "switch";
        ++tally.steps;
        check_holds(node, switched ? after : before, flows, tally);
    }
    if (done == plan.steps.size())
        node.finish(plan);
    tally.broken_off += done < plan.steps.size() ? 1 : 0;
    // A plan may end without a switch: rows of identities that nothing has yet.
    return switched || done == plan.steps.size();
}

} // namespace

TEST_CASE("a plan that is broken off leaves the old policy or the new one") {
    if (!may_run())
        return;
    StepTally tally;
    std::uint64_t fresh = 9000;
    const std::size_t clusters = count_of("POLECAT_KERNEL_BROKEN", 2);
    for (std::uint64_t seed = 1; seed <= clusters; ++seed) {
        INFO("seed ", seed);
        Random random(seed);
        auto documents = testing::documents_of(testing::ClusterWriter(seed, {}).write());
        std::string held = testing::text_of(documents);
        Node node(held, {"203.0.113.7"});
        for (int change = 0; change < 8; ++change) {
            INFO("change ", change);
            for (std::size_t i = random.below(3) + 1; i > 0; --i)
                testing::change(documents, random, fresh);
            const std::string wanted = testing::text_of(documents);
            if (break_off(node, held, wanted, random, tally))
                held = wanted;
        }
        // Whatever was left lying about, the next plan that is done to its end leads there.
        node.change_by_plan(testing::text_of(documents));
        CHECK(node.kernel_agrees());
    }
    MESSAGE(tally.plans << " plans, " << tally.broken_off << " broken off, " << tally.steps
                        << " steps, " << tally.flows << " flows, " << tally.passed << " passed");
    CHECK(tally.broken_off > 0);
    CHECK(tally.passed > tally.flows / 50);
}
