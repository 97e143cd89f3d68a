// Rules that never decide at any endpoint that could exist: Z3 against the exact algebra on random
// policies, cases with near misses, every answer confirmed by eval or by other programs.
#include <algorithm>

#include <doctest/doctest.h>

#include "analyzer/effects/every_endpoint.h"
#include "analyzer/lint/lint.h"
#include "analyzer/z3/any_endpoint.h"
#include "analyzer/z3/prover.h"
#include "tests/random_cluster.h"
#include "tests/random_policies.h"
#include "tests/z3/second_opinion.h"

using namespace polecat;
using analyzer::Claim;
using analyzer::RuleKey;
using smt::Answer;

namespace {

struct Loaded {
    explicit Loaded(const std::string& text) {
        testing::load_text(text, cluster);
        for (const diag::Diagnostic& each : cluster.diagnostics.list())
            CHECK_MESSAGE(each.severity != diag::Severity::Error, each.message);
        policies = passes::order_policies(cluster.policy);
        rules = passes::lower_policies(cluster.policy, policies);
    }

    std::vector<RuleKey> all_rules() const {
        std::vector<RuleKey> out;
        for (const auto& each : rules.list)
            for (const auto direction :
                 {decision::Direction::Ingress, decision::Direction::Egress}) {
                const auto& of = direction == decision::Direction::Ingress ? each.policy->ingress
                                                                           : each.policy->egress;
                for (const policy::Rule& rule : of)
                    out.push_back({policy_name(*each.policy), direction, rule.manifest_index});
            }
        return out;
    }

    testing::RandomCluster cluster;
    policy::OrderedPolicies policies;
    decision::PolicyRules rules;
};

/// What Z3 says of the last policy's first ingress rule.
smt::AnyAnswer last_rule(const std::string& earlier, const std::string& spec) {
    const Loaded loaded(testing::kTierAndSpace + earlier + testing::policy_text("zz", 900, spec));
    for (const RuleKey& key : loaded.all_rules())
        if (key.policy.name == "default.zz")
            return smt::AnyEndpoint(loaded.rules).decides(key);
    return {};
}

std::string ingress(const std::string& selector, const std::string& rules) {
    return "selector: \"" + selector + "\", types: [Ingress], ingress: [" + rules + "]";
}

} // namespace

TEST_CASE("Z3 and the exact algebra agree about every endpoint that could exist") {
    std::size_t yes = 0, no = 0, claimed = 0, asked = 0;
    std::vector<testing::Query> sample;
    smt::QueryOptions options;
    options.sink = [&](const std::string&, const std::string& text) {
        if (++asked % 97 == 0)
            sample.push_back({text, text.find(":status sat") != std::string::npos});
    };
    for (std::uint64_t seed = 1; seed <= 140; ++seed) {
        INFO("seed ", seed);
        const bool rich = seed > 80;
        const Loaded loaded(testing::kTierAndSpace + testing::PolicyWriter(seed, rich).policies() +
                            testing::every_pod());
        const auto covered = analyzer::covered_everywhere(loaded.rules);
        const auto effects = analyzer::effects_of(loaded.cluster.lowered,
                                                  decision::Identities(loaded.cluster.lowered));
        smt::AnyEndpoint questions(loaded.rules, options);
        for (const RuleKey& key : loaded.all_rules()) {
            INFO(analyzer::to_string(key));
            const smt::AnyAnswer answer = questions.decides(key); // eval confirms what it finds
            CHECK(answer.kind != Answer::Kind::Unknown);
            ++(answer.kind == Answer::Kind::Yes ? yes : no);
            const auto rule = effects.rules.find(key);
            if (answer.kind == Answer::Kind::No && rule != effects.rules.end())
                CHECK_FALSE(rule->second.effect.decides);
            if (const auto found = covered.find(key); found != covered.end()) {
                ++claimed;
                CHECK(answer.kind == Answer::Kind::No);
                CHECK(questions.decides(key, found->second).kind == Answer::Kind::No);
            }
        }
    }
    MESSAGE(yes << " rules decide somewhere, " << no << " nowhere, of which the algebra claims "
                << claimed);
    CHECK(yes > 200);
    CHECK(claimed > 30);
    CHECK(claimed > no / 3);
    testing::check_again(sample);
}

TEST_CASE("a witness is an endpoint and a flow that the rule decides") {
    const smt::AnyAnswer found =
        last_rule(testing::policy_text("a", 1, ingress("app == 'a'", "{action: Allow}")),
                  ingress("has(app)", "{action: Deny, protocol: TCP, source: {selector: \"role == "
                                      "'web'\"}, destination: {ports: [443]}}"));
    REQUIRE(found.kind == Answer::Kind::Yes);
    const smt::AnyWitness& witness = *found.witness;
    REQUIRE(witness.endpoint.find("app").has_value());
    CHECK(*witness.endpoint.find("app") != "a");
    CHECK(witness.flow.protocol == net::kTcp);
    CHECK(witness.flow.destination_port == 443);
    CHECK(std::any_of(witness.peers.begin(), witness.peers.end(),
                      [](const selector::Labels& each) { return each.find("role") == "web"; }));
}

TEST_CASE("what predicates say of ends that could exist") {
    const auto decides = [](const std::string& rules, const std::string& rule) {
        return last_rule(testing::policy_text("a", 1, ingress("all()", rules)),
                         ingress("all()", rule))
            .kind;
    };
    const auto from = [](const std::string& action, const std::string& selector) {
        return "{action: " + action + ", source: {selector: \"" + selector + "\"}}";
    };
    constexpr auto kYes = Answer::Kind::Yes, kNo = Answer::Kind::No;
    CHECK(decides(from("Deny", "a starts with 'x'"), from("Allow", "a == 'xy'")) == kNo);
    CHECK(decides(from("Deny", "a starts with 'x'"), from("Allow", "a contains 'x'")) == kYes);
    CHECK(decides(from("Deny", "a == 'x'") + ", " + from("Deny", "a != 'x'"),
                  from("Allow", "has(b)")) == kNo);
    // An endpoint and a network set may hold one address.
    CHECK(decides("{action: Deny, source: {notSelector: \"has(b)\"}}", from("Allow", "!has(b)")) ==
          kYes);
    CHECK(decides("{action: Deny, source: {nets: [10.0.0.0/8]}}",
                  "{action: Allow, source: {nets: [10.1.0.0/16], selector: \"has(a)\"}}") == kNo);
    const auto port = [](const std::string& action, const std::string& ports) {
        return "{action: " + action + ", protocol: TCP, destination: {ports: [" + ports + "]}}";
    };
    CHECK(decides(port("Deny", "web"), port("Allow", "web")) == kNo);
    CHECK(decides(port("Deny", "web"), port("Allow", "80")) == kYes);
    CHECK(decides(port("Deny", "80, web"), port("Allow", "web")) == kNo);
    CHECK(decides(port("Deny", "web"), port("Allow", "80, web")) == kYes);
    CHECK(decides(from("Log", "all()"), from("Allow", "has(a)")) == kYes);
    // Service accounts have longer names than labels' values: what is found can't be shown.
    CHECK(decides(from("Deny", "projectcalico.org/serviceaccount contains 'a'"),
                  from("Allow", "has(projectcalico.org/serviceaccount)")) != kNo);
    CHECK(decides(from("Deny", "projectcalico.org/serviceaccount contains 'a'"),
                  from("Allow", "projectcalico.org/serviceaccount contains 'a'")) == kNo);
}

TEST_CASE("tiers, Pass and what a host forwards, at endpoints that could exist") {
    constexpr auto kYes = Answer::Kind::Yes, kNo = Answer::Kind::No;
    const std::string all = "{action: Deny}";
    const std::string some =
        testing::policy_text("a", 1, ingress("a == 'x'", "{action: Pass}"), "t");
    const std::string rest = testing::policy_text("b", 2, ingress("all()", all), "t");
    CHECK(last_rule(rest, ingress("all()", all)).kind == kNo);
    CHECK(last_rule(some + rest, ingress("all()", all)).kind == kYes);
    CHECK(last_rule(some + rest, ingress("a == 'y'", all)).kind == kNo);
    // The end of a tier takes what its policies leave, where the endpoint has one of them.
    const std::string one =
        testing::policy_text("c", 1, ingress("has(a)", "{action: Allow, protocol: UDP}"), "t");
    CHECK(last_rule(one, ingress("a == 'x'", all)).kind == kNo);
    CHECK(last_rule(one, ingress("all()", all)).kind == kYes);
    const std::string forwarded = "applyOnForward: true, ";
    const auto answer = last_rule(rest, forwarded + ingress("all()", all));
    REQUIRE(answer.kind == kYes);
    CHECK(answer.witness->forwarded);
}

TEST_CASE("claims about every endpoint are proved, false ones refused, limits told") {
    std::size_t claims = 0, limited = 0, refused = 0;
    for (std::uint64_t seed = 100; seed < 140; ++seed) {
        INFO("seed ", seed);
        const Loaded loaded(testing::kTierAndSpace + testing::PolicyWriter(seed).policies());
        const auto covered = analyzer::covered_everywhere(loaded.rules);
        std::vector<Claim> made;
        for (const auto& [key, takers] : covered)
            made.push_back({Claim::What::NeverAnywhere, key});
        for (const bool proved : smt::confirm_anywhere(loaded.rules, covered, made))
            CHECK(proved);
        claims += made.size();
        smt::QueryOptions few;
        few.steps = 1;
        for (const bool proved : smt::confirm_anywhere(loaded.rules, covered, made, few))
            limited += proved ? 0 : 1;
        const RuleKey first = loaded.all_rules().front();
        smt::AnyEndpoint questions(loaded.rules);
        if (questions.decides(first).kind != Answer::Kind::Yes)
            continue;
        ++refused;
        CHECK_THROWS_AS(
            smt::confirm_anywhere(loaded.rules, covered, {{Claim::What::NeverAnywhere, first}}),
            smt::Disagreement);
    }
    MESSAGE(claims << " claims, " << limited << " beyond one step, " << refused << " false ones");
    CHECK(claims > 15);
    CHECK(limited > 5);
    CHECK(refused > 10);
}

TEST_CASE("rules that match nothing") {
    const auto matches = [](const std::string& rule) {
        const Loaded loaded(testing::kTierAndSpace +
                            testing::policy_text("a", 1, ingress("all()", "{action: Allow}"), "t") +
                            testing::policy_text("zz", 2, ingress("all()", rule)));
        const RuleKey key = loaded.all_rules().back();
        const smt::AnyAnswer found = smt::AnyEndpoint(loaded.rules).matches(key);
        const bool none = found.kind == Answer::Kind::No;
        const Claim claim{Claim::What::NeverMatches, key};
        if (none)
            CHECK(smt::confirm_anywhere(loaded.rules, {}, {claim}).front());
        else
            CHECK_THROWS_AS(smt::confirm_anywhere(loaded.rules, {}, {claim}), smt::Disagreement);
        return !none;
    };
    CHECK(matches("{action: Allow}")); // what comes before does not count
    CHECK(matches("{action: Allow, source: {selector: \"a == 'x' && b == 'x'\"}}"));
    CHECK_FALSE(matches("{action: Allow, source: {selector: \"a == 'x' && a == 'y'\"}}"));
    CHECK_FALSE(matches("{action: Allow, source: {selector: \"a == 'x'\", notSelector: has(a)}}"));
    CHECK(matches("{action: Allow, source: {selector: has(a), notSelector: \"a == 'x'\"}}"));
    CHECK_FALSE(matches("{action: Allow, protocol: TCP, notProtocol: TCP}"));
    CHECK_FALSE(matches("{action: Allow, source: {nets: [10.0.0.0/8], notNets: [10.0.0.0/7]}}"));
    CHECK_FALSE(
        matches("{action: Allow, protocol: TCP, source: {ports: [1, 2], notPorts: ['1:9']}}"));
}

TEST_CASE("lint says that Z3 proved what matches nothing") {
    const Loaded loaded(
        testing::kTierAndSpace +
        testing::policy_text("zz", 2,
                             ingress("all()", "{action: Allow, protocol: TCP, notProtocol: TCP}")));
    lint::Settings settings;
    settings.policy_rules = &loaded.rules;
    settings.prove = [](const Claim& claim) { return claim.what == Claim::What::NeverMatches; };
    lint::Context context(loaded.cluster.policy, loaded.policies, loaded.cluster.lowered, settings);
    diag::Diagnostics found;
    lint::run(context, found);
    bool seen = false;
    for (const diag::Diagnostic& each : found.list())
        if (each.code == diag::Code::EmptyMatch) {
            seen = true;
            CHECK(each.proof == "for every endpoint and packet that could exist; proved by Z3 as "
                                "well");
        }
    CHECK(seen);
    CHECK(lint::claims_of(context).size() == 1);
}
