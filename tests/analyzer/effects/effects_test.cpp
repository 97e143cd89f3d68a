// Effects of rules and policies against the plain way: take one out, lower again, compare.
#include <algorithm>

#include <doctest/doctest.h>

#include "analyzer/effects/effects.h"
#include "analyzer/flows/program_flows.h"
#include "tests/random_cluster.h"

using namespace polecat;
using analyzer::Effects;
using analyzer::RuleKey;
using decision::Direction;
using policy::PolicyName;

namespace {

Effects effects_of(const decision::LoweredCluster& cluster) {
    return analyzer::effects_of(cluster, decision::Identities(cluster));
}

decision::LoweredCluster lower(const policy::Cluster& cluster) {
    return passes::lower(cluster).cluster;
}

/// One address of every kind of end that one of the clusters tells apart.
std::vector<net::Address> addresses_of(const decision::Identities& a, const decision::Identities& b,
                                       net::Family family) {
    std::vector<net::Address> out;
    for (const decision::Identities* each : {&a, &b}) {
        for (const auto& [address, id] : each->endpoint_addresses(family))
            out.push_back(address);
        for (const auto& [range, id] : each->ranges(family))
            out.push_back(range.first);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

/// Does some endpoint's program, asked alone, let other flows through?
bool differ(const decision::LoweredCluster& a, const decision::LoweredCluster& b) {
    const decision::Identities in_a(a), in_b(b);
    const analyzer::HttpAtoms atoms({&a, &b});
    for (const decision::Endpoint& endpoint : a.endpoints)
        for (const Direction direction : {Direction::Ingress, Direction::Egress})
            for (const net::Address& own : a.world.object(endpoint.object).addresses) {
                const auto flows = [&](const decision::LoweredCluster& cluster,
                                       const decision::Identities& identities,
                                       const net::Address& other) {
                    const auto* program = cluster.find(endpoint.object, direction,
                                                       decision::Hook::Normal, own.family);
                    const analyzer::ProgramFlows sets(cluster.program(program->program), atoms);
                    const auto& mine = identities[identities.of_address(own)];
                    const auto& theirs = identities[identities.of_address(other)];
                    return (direction == Direction::Egress ? sets.between(mine, theirs)
                                                           : sets.between(theirs, mine))
                        .sure;
                };
                for (const net::Address& other : addresses_of(in_a, in_b, own.family))
                    if (other != own && flows(a, in_a, other) != flows(b, in_b, other))
                        return true;
            }
    return false;
}

struct Tally {
    std::size_t needed = 0, superfluous = 0, never = 0;
};

void check_rules(const policy::Cluster& cluster, const decision::LoweredCluster& lowered,
                 const Effects& effects, std::size_t number, Tally& tally) {
    const policy::Policy& policy = cluster.policies[number];
    for (const bool egress : {false, true}) {
        const auto& rules = egress ? policy.egress : policy.ingress;
        for (std::uint32_t i = 0; i < rules.size(); ++i) {
            const RuleKey key{policy_name(policy), egress ? Direction::Egress : Direction::Ingress,
                              i};
            const auto found = effects.rules.find(key);
            policy::Cluster without = cluster;
            auto& list =
                egress ? without.policies[number].egress : without.policies[number].ingress;
            list.erase(list.begin() + i);
            const bool changes = differ(lowered, lower(without));
            const bool needed = found != effects.rules.end() && found->second.effect.needed;
            CHECK_MESSAGE(changes == needed, analyzer::to_string(key));
            ++(changes ? tally.needed : tally.superfluous);
            if (found != effects.rules.end() && !found->second.effect.decides)
                ++tally.never;
        }
    }
}

void check_policy(const policy::Cluster& cluster, const decision::LoweredCluster& lowered,
                  const Effects& effects, std::size_t number) {
    policy::Cluster without = cluster;
    without.policies.erase(without.policies.begin() + static_cast<std::ptrdiff_t>(number));
    const bool changes = differ(lowered, lower(without));
    const PolicyName key = policy_name(cluster.policies[number]);
    const auto found = effects.policies.find(key);
    const bool needed = found != effects.policies.end() && found->second.effect.needed;
    CHECK_MESSAGE(changes == needed, policy::to_string(key));
}

} // namespace

TEST_CASE("a rule or policy is needed when taking it out changes a flow") {
    Tally tally;
    for (std::uint64_t seed = 1; seed <= 25; ++seed) {
        INFO("seed ", seed);
        testing::ClusterShape shape;
        shape.http = seed % 3 == 0;
        testing::RandomCluster cluster;
        testing::load_text(testing::ClusterWriter(seed, shape).write(), cluster);
        const Effects effects = effects_of(cluster.lowered);
        for (std::size_t i = 0; i < cluster.policy.policies.size(); ++i) {
            if (policy::is_staged(cluster.policy.policies[i].kind))
                continue;
            check_rules(cluster.policy, cluster.lowered, effects, i, tally);
            check_policy(cluster.policy, cluster.lowered, effects, i);
        }
    }
    MESSAGE(tally.needed << " rules needed, " << tally.superfluous << " not, " << tally.never
                         << " never decide");
    CHECK(tally.needed > 50);
    CHECK(tally.superfluous > 50);
    CHECK(tally.never > 10);
}

namespace {

/// One pod, and policies of one tier that it has.
Effects effects_of_rules(const std::string& rules) {
    testing::RandomCluster cluster;
    testing::load_text("{apiVersion: v1, kind: Namespace, metadata: {name: s}}\n---\n"
                       "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: s, labels: "
                       "{a: b}}, spec: {nodeName: n1, containers: []}, status: {podIP: 10.0.0.1}}"
                       "\n---\n{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: "
                       "{name: x, namespace: s}, spec: {ingress: [" +
                           rules + "]}}",
                       cluster);
    return effects_of(cluster.lowered);
}

analyzer::UnitEffect rule(const Effects& effects, std::uint32_t index) {
    const auto found =
        effects.rules.find({{"NetworkPolicy", "s", "x", policy::PolicyKind::NetworkPolicy},
                            Direction::Ingress,
                            index});
    REQUIRE(found != effects.rules.end());
    return found->second.effect;
}

} // namespace

TEST_CASE("two rules cover a third together") {
    const Effects effects =
        effects_of_rules("{action: Deny, protocol: TCP, destination: {ports: ['1:100']}}, "
                         "{action: Deny, protocol: TCP, destination: {ports: ['101:200']}}, "
                         "{action: Allow, protocol: TCP, destination: {ports: ['50:150']}}, "
                         "{action: Allow, protocol: TCP, destination: {ports: ['150:201']}}");
    CHECK(rule(effects, 2).matches);
    CHECK_FALSE(rule(effects, 2).decides);
    CHECK(rule(effects, 3).decides);
    const auto& taken = effects.rules.at(
        {{"NetworkPolicy", "s", "x", policy::PolicyKind::NetworkPolicy}, Direction::Ingress, 2});
    REQUIRE(taken.taken_by.size() == 2);
    CHECK(taken.taken_by[0].index == 0);
    CHECK(taken.taken_by[1].index == 1);
    REQUIRE(taken.example);
    CHECK(taken.example->destination == "s/p");
    CHECK(taken.example->connections == "TCP 50-100");
}

TEST_CASE("a Deny before the tier's own Deny changes nothing") {
    const Effects effects = effects_of_rules("{action: Allow, protocol: UDP}, {action: Deny}");
    CHECK(rule(effects, 1).decides);
    CHECK_FALSE(rule(effects, 1).needed);
    CHECK(rule(effects, 0).needed);
}

TEST_CASE("a rule whose peer is not there matches nothing") {
    const Effects effects = effects_of_rules("{action: Allow, source: {selector: x == 'y'}}");
    CHECK_FALSE(rule(effects, 0).matches);
    CHECK(effects.policies.at({"NetworkPolicy", "s", "x", policy::PolicyKind::NetworkPolicy})
              .endpoints == 1);
    CHECK(effects.policies.at({"NetworkPolicy", "s", "x", policy::PolicyKind::NetworkPolicy})
              .effect.needed); // it isolates
}
