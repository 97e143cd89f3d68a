// What lint claims is confirmed; a claim that is not true is found out; a limit is said to be one.
#include <doctest/doctest.h>

#include "analyzer/lint/lint.h"
#include "analyzer/z3/prover.h"
#include "tests/random_cluster.h"

using namespace polecat;
using analyzer::Claim;

namespace {

std::vector<Claim> claims_of(const testing::RandomCluster& cluster) {
    std::vector<Claim> out;
    lint::Settings settings;
    settings.whole_cluster = true;
    settings.prove = [&](const Claim& claim) {
        out.push_back(claim);
        return true;
    };
    const policy::OrderedPolicies policies = passes::order_policies(cluster.policy);
    lint::Context context(cluster.policy, policies, cluster.lowered, settings);
    diag::Diagnostics unused;
    lint::run(context, unused);
    return out;
}

/// A rule that decides something, claimed never to.
std::vector<Claim> false_claim(const decision::LoweredCluster& cluster) {
    const auto effects = analyzer::effects_of(cluster, decision::Identities(cluster));
    for (const auto& [key, rule] : effects.rules)
        if (rule.effect.decides)
            return {{Claim::What::NeverDecides, key}};
    return {};
}

} // namespace

TEST_CASE("lint's claims about random clusters are proved, false ones are refused") {
    std::size_t claims = 0, refused = 0, limited = 0;
    for (std::uint64_t seed = 40; seed < 66; ++seed) {
        INFO("seed ", seed);
        testing::ClusterShape shape;
        shape.http = seed % 3 == 0;
        shape.host_endpoints = seed % 2 == 0;
        testing::RandomCluster cluster;
        testing::load_text(testing::ClusterWriter(seed, shape).write(), cluster);
        const std::vector<Claim> made = claims_of(cluster);
        for (const bool proved : smt::confirm(cluster.lowered, made))
            CHECK(proved);
        claims += made.size();
        smt::QueryOptions few;
        few.steps = 1;
        for (const bool proved : smt::confirm(cluster.lowered, made, few))
            limited += proved ? 0 : 1;
        const auto wrong = false_claim(cluster.lowered);
        if (wrong.empty())
            continue;
        CHECK_THROWS_AS(smt::confirm(cluster.lowered, wrong), smt::Disagreement);
        ++refused;
    }
    CHECK(claims > 50);
    CHECK(refused > 5);
    CHECK(limited > 5); // one step is too few
    MESSAGE(claims << " claims, " << refused << " false ones, " << limited << " beyond one step");
}

TEST_CASE("lint says in a finding's proof what the second engine said") {
    testing::RandomCluster cluster;
    testing::load_text(
        "{apiVersion: v1, kind: Namespace, metadata: {name: s}}\n---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: s, labels: {a: b}}, spec: "
        "{nodeName: node0, containers: []}, status: {podIP: 10.0.0.1}}\n---\n"
        "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: x, namespace: "
        "s}, spec: {ingress: [{action: Allow, protocol: TCP}, {action: Deny, protocol: TCP, "
        "destination: {ports: [22]}}]}}",
        cluster);
    const policy::OrderedPolicies policies = passes::order_policies(cluster.policy);
    for (const bool answer : {true, false}) {
        lint::Settings settings;
        settings.prove = [&](const Claim&) { return answer; };
        lint::Context context(cluster.policy, policies, cluster.lowered, settings);
        diag::Diagnostics found;
        lint::run(context, found);
        bool seen = false;
        for (const diag::Diagnostic& each : found.list())
            if (each.code == diag::Code::ShadowedRule) {
                seen = true;
                CHECK((each.proof.find("proved by Z3") != std::string::npos) == answer);
                CHECK((each.proof.find("no answer") != std::string::npos) == !answer);
            }
        CHECK(seen);
    }
}
