// Rules, policies and tiers that do nothing: exact, from analyzer/effects.
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/lint.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using analyzer::Claim;
using analyzer::Effects;
using analyzer::RuleKey;
using decision::Direction;
using policy::Action;
using policy::Policy;
using policy::Rule;

namespace {

/// Isolates every pod of its namespaces and allows nothing: it stands for pods that do not exist
/// yet, so that other policies isolate those that do says nothing against it.
bool is_default_deny(const Policy& policy) {
    selector::Labels any;
    any.set("projectcalico.org/orchestrator", "k8s");
    any.set(std::string(policy::kNamespaceLabel), policy.meta.space);
    return policy.ingress.empty() && policy.egress.empty() &&
           (!policy::is_present(policy.selector) || policy.selector->parsed.matches(any));
}

class DeadRulesChecker {
  public:
    DeadRulesChecker(Context& context, Diagnostics& out)
        : context_(context), effects_(context.effects()), out_(out) {}

    void run() {
        each_policy(context_, [&](const policy::OrderedTier& tier, const Policy& policy) {
            const auto found = effects_.policies.find(analyzer::key_of(policy));
            if (policy::is_staged(policy.kind))
                return;
            if (found == effects_.policies.end()) // it selects nothing, which is told elsewhere
                return check_unused(policy);
            if (check_policy(tier, policy, found->second))
                return; // its rules do nothing either
            check_rules(policy, policy.ingress, Direction::Ingress);
            check_rules(policy, policy.egress, Direction::Egress);
        });
        for (const policy::OrderedTier& tier : context_.policies.tiers)
            check_tier(tier);
        check_together();
    }

  private:
    /// Rules of a policy without endpoints that would do nothing if there were some.
    void check_unused(const Policy& policy) {
        if (is_kubernetes(policy))
            return;
        for (const Direction direction : {Direction::Ingress, Direction::Egress})
            for (const Rule& rule :
                 direction == Direction::Ingress ? policy.ingress : policy.egress) {
                const RuleKey key{analyzer::key_of(policy), direction, rule.manifest_index};
                const auto found = context_.covered_everywhere().find(key);
                if (found == context_.covered_everywhere().end())
                    continue;
                std::vector<std::string> names;
                for (const RuleKey& each : found->second)
                    names.push_back(name_within(policy, each));
                out_.report(Code::ShadowedRule, rule.span, {rule_name(key), listed(names, 4)})
                    .about(name_of(policy))
                    .with_proof(context_.proof_of({Claim::What::NeverAnywhere, key}) +
                                "; none exists that the policy selects")
                    .with_hint("move it before the rules that take its flows, or remove it");
            }
    }

    static std::string name_within(const Policy& policy, const RuleKey& key) {
        return key.policy == analyzer::key_of(policy) ? rule_name(key) : analyzer::to_string(key);
    }

    void check_rules(const Policy& policy, const std::vector<Rule>& rules, Direction direction) {
        const bool governs =
            direction == Direction::Ingress ? policy.ingress_type : policy.egress_type;
        std::set<std::uint32_t> seen; // converted rules stand for one of the manifest
        for (std::size_t i = 0; governs && i < rules.size(); ++i)
            if (seen.insert(rules[i].manifest_index).second)
                check_rule(policy, rules, i, direction);
    }

    void check_rule(const Policy& policy, const std::vector<Rule>& rules, std::size_t number,
                    Direction direction) {
        const Rule& rule = rules[number];
        const RuleKey key{analyzer::key_of(policy), direction, rule.manifest_index};
        const auto found = effects_.rules.find(key);
        if (found == effects_.rules.end() || !found->second.effect.matches)
            return;
        if (!found->second.effect.decides && !is_kubernetes(policy))
            return shadowed(policy, key, found->second, rule);
        const bool last = rules.back().manifest_index == rule.manifest_index;
        const bool says_the_default =
            last && is_unconditional(rule) && rule.action != Action::Allow;
        if (!found->second.effect.needed && rule.action != Action::Log && !says_the_default)
            out_.report(Code::RedundantRule, rule.span, {rule_name(key)})
                .about(name_of(policy))
                .with_proof(context_.proof_of({Claim::What::NotNeeded, key}));
    }

    static std::string rule_name(const RuleKey& key) {
        return fmt::format("{}[{}]", decision::to_string(key.direction), key.index);
    }

    void shadowed(const Policy& policy, const RuleKey& key, const analyzer::RuleEffect& effect,
                  const Rule& rule) {
        bool same_action = true, passed = rule.action == Action::Deny && !effect.taken_by.empty();
        std::vector<std::string> names;
        for (const RuleKey& each : effect.taken_by) {
            const auto& by = effects_.rules.at(each).slot;
            same_action = same_action && by.action == rule.action;
            passed = passed && by.action == Action::Pass && by.tier == effect.slot.tier;
            names.push_back(name_within(policy, each));
        }
        auto& diagnostic = out_.report(passed ? Code::PassSkipsDeny : Code::ShadowedRule, rule.span,
                                       {rule_name(key), listed(names, 4)});
        diagnostic.about(name_of(policy))
            .with_proof(context_.proof_of({Claim::What::NeverDecides, key},
                                          context_.covered_everywhere().contains(key)));
        for (std::size_t i = 0; i < effect.taken_by.size() && i < 4; ++i) {
            const auto& slot = effects_.rules.at(effect.taken_by[i]).slot;
            diagnostic.with_label(slot.span, "takes flows of it: " +
                                                 std::string(policy::to_string(slot.action)));
        }
        if (effect.example)
            diagnostic.with_witness(
                {effect.example->source, effect.example->destination, effect.example->connections});
        diagnostic.with_hint(same_action ? "remove it, or narrow what comes before"
                                         : "move it before the rules that take its flows, or "
                                           "remove it");
        if (same_action)
            diagnostic.severity = diag::Severity::Note;
    }

    /// Whether the policy as a whole does nothing.
    bool check_policy(const policy::OrderedTier& tier, const Policy& policy,
                      const analyzer::PolicyEffect& effect) {
        // Kubernetes' policies have no order: what one allows is no other's doing.
        if (!effect.effect.reached && !is_kubernetes(policy))
            out_.report(Code::UnreachablePolicy, policy.meta.span, {policy.meta.name, tier.name})
                .about(name_of(policy))
                .with_proof(
                    context_.proof_of({Claim::What::NeverReached, analyzer::key_of(policy)}))
                .with_hint("what comes before it in the order decides every flow");
        else if (!effect.effect.needed && !is_default_deny(policy))
            out_.report(Code::RedundantPolicy, policy.meta.span, {policy.meta.name})
                .about(name_of(policy))
                .with_proof(context_.proof_of({Claim::What::NotNeeded, analyzer::key_of(policy)}))
                .with_hint("remove it, or check that it selects and says what is meant");
        return !effect.effect.reached || !effect.effect.needed;
    }

    void check_tier(const policy::OrderedTier& tier) {
        const auto found = effects_.tiers.find(tier.name);
        if (found == effects_.tiers.end() || !tier.span.known())
            return;
        if (!found->second.effect.reached)
            out_.report(Code::UnreachableTier, tier.span, {tier.name})
                .about("Tier " + tier.name)
                .with_proof(context_.proof_of({Claim::What::NeverReached, tier.name}))
                .with_hint("a tier before it ends in Deny, or allows everything: end its policies "
                           "with a Pass rule");
        else if (!found->second.effect.needed)
            out_.report(Code::VacuousTier, tier.span, {tier.name})
                .about("Tier " + tier.name)
                .with_proof(context_.proof_of({Claim::What::NotNeeded, tier.name}));
    }

    /// Policies that each do something for an endpoint and together nothing.
    void check_together() {
        for (const auto& [policies, endpoint] : effects_.vacuous) {
            std::vector<std::string> names;
            for (const analyzer::PolicyKey& key : policies.policies)
                names.push_back(analyzer::to_string(key));
            out_.report(Code::PoliciesVacuous,
                        effects_.policies.at(policies.policies.front()).block.span,
                        {listed(names, 4), endpoint, decision::to_string(policies.direction)})
                .about(names.front())
                .with_proof("for the endpoints that exist and every outside address, exactly");
        }
    }

    Context& context_;
    const Effects& effects_;
    Diagnostics& out_;
};

} // namespace

void check_dead_rules(Context& context, Diagnostics& out) {
    DeadRulesChecker(context, out).run();
}

/// Nothing else makes claims.
std::vector<Claim> claims_of(Context& context) {
    std::vector<Claim> out;
    Settings settings = context.settings;
    settings.answers = context.answers();
    settings.prove = [&](const Claim& claim) {
        out.push_back(claim);
        return true;
    };
    Context asking(context.cluster, context.policies, context.lowered, settings);
    Diagnostics unused;
    check_dead_rules(asking, unused);
    check_rules(asking, unused); // of which some match nothing
    return out;
}

} // namespace polecat::lint
