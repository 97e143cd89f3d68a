// Two clusters side by side: against their diff, and what policies allow by hand.
#include "analyzer/diff/two_worlds.h"

#include <doctest/doctest.h>

#include "analyzer/diff/diff.h"
#include "tests/random_cluster.h"

using namespace polecat;
using analyzer::ChangeKind;
using analyzer::FlowsOf;

namespace {

const std::string kWorldPods =
    "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ns, labels: {app: a}}, spec: "
    "{containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.1}}\n---\n"
    "{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: ns, labels: {app: b}}, spec: "
    "{containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.2}}\n---\n";

/// Lets app b be reached at a port.
std::string allow(const std::string& port) {
    return "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: p, namespace: "
           "ns}, spec: {selector: app == 'b', types: [Ingress], ingress: [{action: Allow, "
           "protocol: "
           "TCP, destination: {ports: [" +
           port + "]}}]}}\n---\n";
}

} // namespace

TEST_CASE("one world has more where the diff says that flows close or open") {
    std::size_t same = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        INFO("seed ", seed);
        testing::ClusterShape less, more;
        more.policies = less.policies + (seed % 3 == 0 ? 0 : 2);
        testing::RandomCluster base, head;
        load_text(testing::ClusterWriter(seed, less).write(), base);
        load_text(testing::ClusterWriter(seed, more).write(), head);
        const analyzer::Diff diff = analyzer::diff(base.lowered, head.lowered);
        const auto both = analyzer::compare_worlds({base.lowered}, {head.lowered});
        CHECK(both.first_has_more == diff.has(ChangeKind::Closed));
        CHECK(both.second_has_more == diff.has(ChangeKind::Opened));
        CHECK(both.depends == diff.depends);
        same += both.same() ? 1 : 0;
    }
    CHECK(same >= 20);
}

TEST_CASE("flows of policies are those of which an end is governed") {
    testing::RandomCluster open, web, dns;
    load_text(kWorldPods, open);
    load_text(kWorldPods + allow("80"), web);
    load_text(kWorldPods + allow("53"), dns);
    const auto policies = FlowsOf::Policies;
    // No policy, no flow of policies; without it everything is allowed.
    CHECK_FALSE(analyzer::compare_worlds({open.lowered, policies}, {web.lowered}).meet);
    CHECK(analyzer::compare_worlds({open.lowered}, {web.lowered}).first_has_more);
    // Port 80 of b is all that policy allows; b's own traffic is nobody's.
    const auto against_open = analyzer::compare_worlds({web.lowered, policies}, {open.lowered});
    CHECK(against_open.meet);
    CHECK_FALSE(against_open.first_has_more);
    CHECK_FALSE(analyzer::compare_worlds({web.lowered, policies}, {dns.lowered, policies}).meet);
    CHECK_FALSE(analyzer::compare_worlds({web.lowered, policies}, {dns.lowered}).meet);
    CHECK(analyzer::compare_worlds({web.lowered, policies}, {web.lowered, policies}).same());
}
