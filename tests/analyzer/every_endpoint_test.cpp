// Rules that never decide at any endpoint that could exist, against clusters in which every
// endpoint of a small universe exists, and cases with near misses.
#include <set>

#include <doctest/doctest.h>

#include "analyzer/every_endpoint.h"
#include "tests/random_cluster.h"

using namespace polecat;
using analyzer::RuleKey;

namespace {

std::set<RuleKey> covered(const testing::RandomCluster& cluster) {
    const auto policies = passes::order_policies(cluster.policy);
    const auto rules = passes::lower_policies(cluster.policy, policies);
    std::set<RuleKey> out;
    for (const auto& [key, by] : analyzer::covered_everywhere(rules))
        out.insert(key);
    return out;
}

std::string written(const std::string& name, int order, const std::string& spec,
                    const std::string& tier = "default") {
    return "---\n{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: " +
           tier + "." + name + "}, spec: {tier: " + tier + ", order: " + std::to_string(order) +
           ", " + spec + "}}\n";
}

const std::string kStart =
    "{apiVersion: v1, kind: Namespace, metadata: {name: s}}\n---\n"
    "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: t}, spec: {order: 10}}\n";

/// Is the last policy's only rule covered, although nothing exists?
bool is_covered(const std::string& earlier, const std::string& spec) {
    testing::RandomCluster cluster;
    testing::load_text(kStart + earlier + written("zz", 900, spec), cluster);
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

class Writer {
  public:
    explicit Writer(std::uint64_t seed) : random_(seed) {}

    std::string policies() {
        std::string out;
        for (int i = 0; i < 4; ++i) {
            std::string rules;
            for (std::size_t n = 1 + random_.below(3); n > 0; --n)
                rules += (rules.empty() ? "" : ", ") + rule();
            const std::string kind = random_.pick<std::string>({"ingress", "egress"});
            out += written("p" + std::to_string(i), i,
                           "selector: \"" + selector() + "\", types: [" +
                               (kind == "ingress" ? "Ingress" : "Egress") + "], " + kind + ": [" +
                               rules + "]",
                           i < 2 && random_.chance(50) ? "t" : "default");
        }
        return out;
    }

  private:
    std::string selector() {
        return random_.pick<std::string>({"all()", "all()", "has(a)", "!has(a)", "a == 'x'",
                                          "a != 'x'", "a in {'x', 'y'}", "b == 'x'",
                                          "a == 'x' && b == 'x'", "a == 'x' || has(b)"});
    }
    std::string rule() {
        std::string out = "{action: " + random_.pick<std::string>({"Allow", "Deny", "Pass"});
        if (random_.chance(30))
            out += ", protocol: " + random_.pick<std::string>({"TCP", "UDP"});
        for (const char* side : {"source", "destination"}) {
            std::string end;
            if (random_.chance(35))
                end += "selector: \"" + selector() + "\"";
            if (random_.chance(15))
                end += (end.empty() ? "" : ", ") + ("notSelector: \"" + selector() + "\"");
            if (random_.chance(15))
                end += (end.empty() ? "" : ", ") + std::string("nets: [") +
                       random_.pick<std::string>({"203.0.113.0/24", "203.0.113.0/25"}) + "]";
            if (!end.empty())
                out += std::string(", ") + side + ": {" + end + "}";
        }
        return out + "}";
    }

    testing::Random random_;
};

/// A pod for each set of labels over a, b and absent, x, y, in each part of the address space.
std::string every_pod() {
    std::string out;
    int number = 0;
    for (const std::string a : {"", "a: 'x'", "a: 'y'"})
        for (const std::string b : {"", "b: 'x'", "b: 'y'"})
            for (const std::string net : {"10.0.0.", "10.0.1.", "203.0.113.", "203.0.113.1"}) {
                const std::string id = std::to_string(10 + ++number);
                out += "---\n{apiVersion: v1, kind: Pod, metadata: {name: p" + id +
                       ", namespace: s, labels: {" + a + (a.empty() || b.empty() ? "" : ", ") + b +
                       "}}, spec: {nodeName: node0, containers: []}, status: {podIP: " + net + id +
                       "}}\n";
            }
    return out;
}

} // namespace

TEST_CASE("rules covered at every endpoint never decide where all of a small universe exist") {
    std::size_t everywhere = 0, where_they_exist = 0, wrong = 0;
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        INFO("seed ", seed);
        testing::RandomCluster cluster;
        testing::load_text(kStart + Writer(seed).policies() + every_pod(), cluster);
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
    CHECK(is_covered(written("a", 1, ingress("has(app)", all)), ingress("app == 'a'", all)));
    CHECK_FALSE(is_covered(written("a", 1, ingress("app == 'a'", all)), ingress("has(app)", all)));
    CHECK(is_covered(written("a", 1, ingress("has(app)", all)) +
                         written("b", 2, ingress("!has(app)", all)),
                     ingress("all()", all)));
    CHECK_FALSE(is_covered(written("a", 1, ingress("has(app)", all)) +
                               written("b", 2, ingress("app == ''", all)),
                           ingress("all()", all)));
    CHECK_FALSE(is_covered(written("a", 901, ingress("all()", all)), ingress("all()", all)));
    // Service accounts have names longer than values of labels: not decided.
    const std::string part = "projectcalico.org/serviceaccount contains 'a'";
    CHECK_FALSE(is_covered(written("a", 1, ingress("has(projectcalico.org/serviceaccount)", all)),
                           ingress(part, all)));
}

TEST_CASE("covered by rules whose peers are implied, together") {
    const auto by = [](const std::string& rules, const std::string& rule) {
        return is_covered(written("a", 1, ingress("all()", rules)), ingress("all()", rule));
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
    const std::string some = written("a", 1, ingress("a == 'x'", "{action: Pass}"), "t");
    const std::string rest = written("b", 2, ingress("all()", all), "t");
    CHECK(is_covered(rest, ingress("all()", all)));
    CHECK_FALSE(is_covered(some + rest, ingress("all()", all)));
    CHECK(is_covered(some + rest, ingress("a == 'y'", all)));
    // Pass in the rule's own tier takes its flows past it.
    CHECK(is_covered(written("a", 1, ingress("all()", "{action: Pass}")), ingress("all()", all)));
    // A policy that forwarded packets don't meet may pass those of the host on.
    const std::string forwarded = "applyOnForward: true, ";
    const std::string pass = written("a", 1, ingress("all()", "{action: Pass}"), "t");
    const std::string deny = written("b", 2, forwarded + ingress("all()", all), "t");
    CHECK(is_covered(deny, forwarded + ingress("all()", all)));
    CHECK_FALSE(is_covered(pass + deny, forwarded + ingress("all()", all)));
    CHECK_FALSE(is_covered(rest, forwarded + ingress("all()", all)));
}
