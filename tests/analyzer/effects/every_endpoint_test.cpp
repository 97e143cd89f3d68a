// Rules that never decide at any endpoint that could exist, against clusters in which every
// endpoint of a small universe exists, and cases with near misses.
#include <set>

#include <doctest/doctest.h>

#include "analyzer/effects/every_endpoint.h"
#include "tests/random_cluster.h"
#include "tests/random_policies.h"

using namespace polecat;
using analyzer::RuleKey;
using testing::policy_text;

namespace {

std::set<RuleKey> covered(const testing::RandomCluster& cluster) {
    const auto policies = passes::order_policies(cluster.policy);
    const auto rules = passes::lower_policies(cluster.policy, policies);
    std::set<RuleKey> out;
    for (const auto& [key, by] : analyzer::covered_everywhere(rules))
        out.insert(key);
    return out;
}

/// Is the last policy's only rule covered, although nothing exists?
bool is_covered(const std::string& earlier, const std::string& spec) {
    testing::RandomCluster cluster;
    testing::load_text(testing::kTierAndSpace + earlier + policy_text("zz", 900, spec), cluster);
    for (const diag::Diagnostic& each : cluster.diagnostics.list())
        CHECK_MESSAGE(each.severity != diag::Severity::Error, each.message);
    for (const RuleKey& key : covered(cluster))
        if (key.policy.name == "default.zz")
            return true;
    return false;
}

std::string ingress(const std::string& selector, const std::string& rules) {
    return "selector: \"" + selector + "\", types: [Ingress], ingress: [" + rules + "]";
}
std::string from(const std::string& action, const std::string& selector) {
    return "{action: " + action + ", source: {selector: \"" + selector + "\"}}";
}

} // namespace

TEST_CASE("rules covered at every endpoint never decide where all of a small universe exist") {
    std::size_t everywhere = 0, where_they_exist = 0, wrong = 0;
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        INFO("seed ", seed);
        testing::RandomCluster cluster;
        testing::load_text(testing::kTierAndSpace + testing::PolicyWriter(seed).policies() +
                               testing::every_pod(),
                           cluster);
        REQUIRE(!cluster.diagnostics.has_errors());
        const auto found = covered(cluster);
        const auto effects =
            analyzer::effects_of(cluster.lowered, decision::Identities(cluster.lowered));
        for (const auto& [key, rule] : effects.rules) {
            const bool never = rule.effect.matches && !rule.effect.decides;
            where_they_exist += never ? 1 : 0;
            everywhere += never && found.contains(key) ? 1 : 0;
            const bool right = !found.contains(key) || !rule.effect.decides;
            wrong += right ? 0 : 1;
            CHECK_MESSAGE(right, analyzer::to_string(key));
        }
    }
    CHECK(wrong == 0);
    MESSAGE(where_they_exist << " never decide, " << everywhere << " of them at any endpoint");
    CHECK(everywhere > 100);
    CHECK(everywhere > where_they_exist / 2);
}

TEST_CASE("covered by policies whose selectors are implied, together") {
    const std::string all = "{action: Allow}";
    CHECK(is_covered(policy_text("a", 1, ingress("has(app)", all)), ingress("app == 'a'", all)));
    CHECK_FALSE(
        is_covered(policy_text("a", 1, ingress("app == 'a'", all)), ingress("has(app)", all)));
    CHECK(is_covered(policy_text("a", 1, ingress("has(app)", all)) +
                         policy_text("b", 2, ingress("!has(app)", all)),
                     ingress("all()", all)));
    CHECK_FALSE(is_covered(policy_text("a", 1, ingress("has(app)", all)) +
                               policy_text("b", 2, ingress("app == ''", all)),
                           ingress("all()", all)));
    CHECK_FALSE(is_covered(policy_text("a", 901, ingress("all()", all)), ingress("all()", all)));
    // Service accounts have names longer than values of labels: not decided.
    const std::string part = "projectcalico.org/serviceaccount contains 'a'";
    CHECK_FALSE(
        is_covered(policy_text("a", 1, ingress("has(projectcalico.org/serviceaccount)", all)),
                   ingress(part, all)));
}

TEST_CASE("covered by rules whose peers are implied, together") {
    const auto by = [](const std::string& rules, const std::string& rule) {
        return is_covered(policy_text("a", 1, ingress("all()", rules)), ingress("all()", rule));
    };
    CHECK(by(from("Deny", "has(a)"), from("Allow", "a == 'x'")));
    CHECK_FALSE(by(from("Deny", "a == 'x'"), from("Allow", "has(a)")));
    CHECK(by(from("Deny", "a == 'x' && b == 'x'") + "," + from("Deny", "a == 'x' && b != 'x'"),
             from("Allow", "a == 'x'")));
    CHECK_FALSE(
        by(from("Deny", "a == 'x' && b == 'x'") + "," + from("Deny", "a == 'x' && b == 'y'"),
           from("Allow", "a == 'x'")));
    // An address may be held by an endpoint and a network set that differ.
    CHECK_FALSE(by("{action: Deny, source: {notSelector: \"has(b)\"}}", from("Allow", "!has(b)")));
    CHECK(by("{action: Deny, source: {nets: [10.0.0.0/8]}}",
             "{action: Allow, source: {nets: [10.1.0.0/16], selector: \"has(a)\"}}"));
    CHECK_FALSE(by("{action: Deny, source: {nets: [10.1.0.0/16]}}",
                   "{action: Allow, source: {nets: [10.0.0.0/8]}}"));
    CHECK(by("{action: Deny, protocol: TCP, destination: {ports: [web]}}",
             "{action: Allow, protocol: TCP, destination: {ports: [web]}, source: {selector: "
             "\"has(a)\"}}"));
    CHECK_FALSE(by("{action: Deny, protocol: TCP, destination: {ports: [web]}}",
                   "{action: Allow, protocol: TCP, destination: {ports: [80]}}"));
    CHECK(by("{action: Deny, protocol: TCP, destination: {ports: ['1:100']}}, {action: Deny, "
             "protocol: TCP, destination: {ports: ['101:65535']}}",
             "{action: Allow, protocol: TCP}"));
}

TEST_CASE("Pass and the ends of tiers") {
    const std::string all = "{action: Deny}";
    const std::string some = policy_text("a", 1, ingress("a == 'x'", "{action: Pass}"), "t");
    const std::string rest = policy_text("b", 2, ingress("all()", all), "t");
    CHECK(is_covered(rest, ingress("all()", all)));
    CHECK_FALSE(is_covered(some + rest, ingress("all()", all)));
    CHECK(is_covered(some + rest, ingress("a == 'y'", all)));
    // Pass in the rule's own tier takes its flows past it.
    CHECK(
        is_covered(policy_text("a", 1, ingress("all()", "{action: Pass}")), ingress("all()", all)));
    // A policy that forwarded packets don't meet may pass those of the host on.
    const std::string forwarded = "applyOnForward: true, ";
    const std::string pass = policy_text("a", 1, ingress("all()", "{action: Pass}"), "t");
    const std::string deny = policy_text("b", 2, forwarded + ingress("all()", all), "t");
    CHECK(is_covered(deny, forwarded + ingress("all()", all)));
    CHECK_FALSE(is_covered(pass + deny, forwarded + ingress("all()", all)));
    CHECK_FALSE(is_covered(rest, forwarded + ingress("all()", all)));
}
