// Rules, policies and tiers that do nothing: exact, from analyzer/effects.
#include <algorithm>
#include <map>
#include <set>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/lint.h"
#include "analyzer/lint/rules/far_side.h"
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

/// It stands for pods that do not exist yet as well.
bool selects_every_pod(const Policy& policy) {
    selector::Labels any;
    any.set("projectcalico.org/orchestrator", "k8s");
    any.set(std::string(policy::kNamespaceLabel), policy.meta.space);
    return !policy::is_present(policy.selector) || policy.selector->parsed.matches(any);
}

/// Denies by design: that other policies isolate the same pods says nothing against it.
bool is_deny(const Policy& policy) {
    return policy.ingress.empty() && policy.egress.empty();
}

class DeadRulesChecker {
  public:
    DeadRulesChecker(Context& context, Diagnostics& out)
        : context_(context), effects_(context.effects()), out_(out) {
        each_policy(context, [&](const policy::OrderedTier& tier, const Policy& policy) {
            policies_.emplace(policy_name(policy), std::pair(&tier, &policy));
        });
    }

    void run() {
        each_policy(context_, [&](const policy::OrderedTier& tier, const Policy& policy) {
            const auto found = effects_.policies.find(policy_name(policy));
            if (policy::is_staged(policy.kind))
                return check_unused(policy, "it is staged");
            if (found == effects_.policies.end()) // it selects nothing, which is told elsewhere
                return check_unused(policy, "the policy selects none of those that exist");
            if (check_policy(tier, policy, found->second))
                return; // its rules do nothing either
            check_rules(policy, policy.ingress, Direction::Ingress);
            check_rules(policy, policy.egress, Direction::Egress);
        });
        for (const policy::OrderedTier& tier : context_.policies.tiers)
            check_tier(tier);
        check_together();
        merge_shadowed();
    }

  private:
    /// Rules of a policy that acts on no endpoint, and that would do nothing if it did.
    void check_unused(const Policy& policy, const std::string& why) {
        if (is_kubernetes(policy))
            return;
        for (const Direction direction : {Direction::Ingress, Direction::Egress})
            for (const Rule& rule :
                 direction == Direction::Ingress ? policy.ingress : policy.egress) {
                const RuleKey key{policy_name(policy), direction, rule.manifest_index};
                const auto found = context_.covered_everywhere().find(key);
                if (found == context_.covered_everywhere().end())
                    continue;
                bool same_action = true;
                const auto names = takers(policy, rule, found->second, same_action);
                auto& diagnostic =
                    out_.report(Code::ShadowedRule, rule.span,
                                {rule_name(key), listed(names, 4), take(names.size())});
                diagnostic.about(name_of(policy))
                    .with_proof(context_.proof_of({Claim::What::NeverAnywhere, key}) + "; " + why)
                    .with_hint("move it before the rules that take its flows, or remove it");
                if (same_action)
                    diagnostic.severity = diag::Severity::Note;
            }
    }

    /// The names of rules that take another's flows, and of the tiers whose end does.
    /// `same_action`: whether all of them say the same.
    std::vector<std::string> takers(const Policy& policy, const Rule& rule,
                                    const std::vector<RuleKey>& keys, bool& same_action) const {
        std::vector<std::string> out;
        std::set<std::string> ends;
        for (const RuleKey& each : keys) {
            out.push_back(name_within(policy, each));
            const auto& [tier, by] = policies_.at(each.policy);
            const auto& rules = each.direction == Direction::Ingress ? by->ingress : by->egress;
            same_action =
                same_action && std::all_of(rules.begin(), rules.end(), [&](const Rule& other) {
                    return other.manifest_index != each.index || other.action == rule.action;
                });
            if (tier->name != *policy.tier && tier->default_action == Action::Deny)
                ends.insert("the end of tier " + tier->name);
        }
        same_action = same_action && (ends.empty() || rule.action == Action::Deny);
        out.insert(out.end(), ends.begin(), ends.end());
        return out;
    }

    static std::string name_within(const Policy& policy, const RuleKey& key) {
        return key.policy == policy_name(policy) ? rule_name(key) : analyzer::to_string(key);
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
        const RuleKey key{policy_name(policy), direction, rule.manifest_index};
        const auto found = effects_.rules.find(key);
        if (found == effects_.rules.end() || !found->second.effect.matches)
            return;
        // What one of Kubernetes' policies allows another may allow as well.
        if (!found->second.effect.decides &&
            (!is_kubernetes(policy) || is_overruled(found->second, rule)))
            return shadowed(policy, key, found->second, rule);
        const bool last = rules.back().manifest_index == rule.manifest_index;
        const bool says_the_default =
            last && policy::asks_nothing(rule) && rule.action != Action::Allow;
        if (found->second.effect.needed || rule.action == Action::Log || says_the_default)
            return;
        if (const auto known = known_ends({{&policy, {&rule, 1}}}))
            out_.report(Code::RedundantRule, rule.span, {rule_name(key)})
                .about(name_of(policy))
                .with_note("assumes that " + *known)
                .with_proof(context_.proof_of({Claim::What::NotNeeded, key}))
                .as_usual(is_kubernetes(policy)); // they add up, and say things twice on purpose
    }

    /// What it takes to call a policy that does nothing needless; nullopt: it isn't.
    std::optional<std::string> needless_if(const Policy& policy) const {
        const bool opens_all = (!policy.ingress_type || allows_everything(policy.ingress)) &&
                               (!policy.egress_type || allows_everything(policy.egress));
        if (opens_all || is_deny(policy)) // told as such, or meant for pods to come
            return std::nullopt;
        if (selects_every_pod(policy) && !context_.extent.is_whole())
            return std::nullopt;
        return known_ends(all_rules({&policy}));
    }

    using RulesOf = std::vector<std::pair<const Policy*, std::span<const Rule>>>;

    /// What it takes that the endpoints of the policies and the peers of these rules are all known;
    /// nullopt: they aren't. What is not needed for those in the input may be needed for others.
    std::optional<std::string> known_ends(const RulesOf& of) const {
        std::set<std::string> taken_for_granted;
        bool all = true;
        const auto add = [&](const std::optional<std::string>& known) {
            all = all && known;
            if (known)
                taken_for_granted.insert(*known);
        };
        for (const auto& [policy, rules] : of) {
            const std::string space = policy::is_global(policy->kind) ? "" : policy->meta.space;
            add(context_.extent.known_endpoints_of(*policy));
            for (const Rule& rule : rules)
                for (const policy::EntityRule* end : {&rule.source, &rule.destination})
                    if (const auto peers = policy::peers_of(*end, space); all && peers)
                        add(context_.extent.known(*peers, policy::Ends::Peers));
        }
        if (!all)
            return std::nullopt;
        return fmt::format("{}", fmt::join(taken_for_granted, ", and that "));
    }

    static RulesOf all_rules(const std::vector<const Policy*>& policies) {
        RulesOf out;
        for (const Policy* each : policies) {
            out.emplace_back(each, each->ingress);
            out.emplace_back(each, each->egress);
        }
        return out;
    }

    /// Something else than what it says is done with flows of it; not by another of Kubernetes'
    /// policies, which come in no order.
    bool is_overruled(const analyzer::RuleEffect& effect, const Rule& rule) const {
        constexpr auto kKubernetes = policy::PolicyKind::KubernetesNetworkPolicy;
        if (effect.slot.policy.kind == kKubernetes &&
            std::any_of(effect.taken_by.begin(), effect.taken_by.end(),
                        [](const RuleKey& by) { return by.policy.kind == kKubernetes; }))
            return false;
        if (rule.action == Action::Allow && !effect.taken_by_ends.empty())
            return true;
        return std::any_of(effect.taken_by.begin(), effect.taken_by.end(), [&](const RuleKey& by) {
            return effects_.rules.at(by).slot.action != rule.action;
        });
    }

    bool has_overruled_rule(const Policy& policy) const {
        const auto any = [&](const std::vector<Rule>& rules, Direction direction) {
            return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
                const auto found =
                    effects_.rules.find({policy_name(policy), direction, rule.manifest_index});
                return found != effects_.rules.end() && found->second.effect.matches &&
                       !found->second.effect.decides && is_overruled(found->second, rule);
            });
        };
        return (policy.ingress_type && any(policy.ingress, Direction::Ingress)) ||
               (policy.egress_type && any(policy.egress, Direction::Egress));
    }

    static const char* take(std::size_t takers) { return takers == 1 ? "takes" : "take"; }

    static std::string rule_name(const RuleKey& key) {
        return fmt::format("{}[{}]", decision::to_string(key.direction), key.index);
    }

    bool takes_the_rest_too(const analyzer::RuleEffect& effect, const Rule& rule) const {
        return policy::asks_nothing(rule) &&
               std::any_of(effect.taken_by.begin(), effect.taken_by.end(), [&](const auto& each) {
                   const Policy& by = *policies_.at(each.policy).second;
                   const auto& rules =
                       each.direction == Direction::Ingress ? by.ingress : by.egress;
                   return std::any_of(rules.begin(), rules.end(), [&](const Rule& other) {
                       return other.manifest_index == each.index && other.action == rule.action &&
                              policy::asks_nothing(other);
                   });
               });
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
        // A rule for the rest behind another one: what comes before both decides either way.
        const bool rest_is_taken = takes_the_rest_too(effect, rule);
        same_action = same_action || rest_is_taken;
        for (const std::string& tier : effect.taken_by_ends) {
            same_action = same_action && (rule.action == Action::Deny || rest_is_taken);
            passed = false;
            names.push_back("the end of tier " + tier);
        }
        auto& diagnostic = out_.report(passed ? Code::PassSkipsDeny : Code::ShadowedRule, rule.span,
                                       {rule_name(key), listed(names, 4), take(names.size())});
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
                             : effect.taken_by_ends.empty()
                                 ? "move it before the rules that take its flows, or remove it"
                                 : "let the earlier tier pass what is to come here: end its "
                                   "policies with `- action: Pass`");
        if (same_action) {
            diagnostic.severity = diag::Severity::Note;
            diagnostic.as_usual(policy::asks_nothing(rule)); // it stands for what may come
        }
        if (effect.taken_by_ends.empty())
            note_takers(key, effect, rule.span, diagnostic.severity);
    }

    /// Rules that the same other policies take are one finding.
    void note_takers(const RuleKey& key, const analyzer::RuleEffect& effect, const Span& span,
                     diag::Severity severity) {
        Takers takers{key.policy, {}, severity};
        for (const RuleKey& each : effect.taken_by)
            takers.policies.insert(each.policy);
        if (takers.policies.contains(key.policy))
            return;
        taken_[takers].push_back(rule_name(key));
        takers_.emplace(span, std::move(takers));
    }

    void merge_shadowed() {
        out_.keep_if([&](diag::Diagnostic& each) {
            const auto found = takers_.find(each.span);
            if (found == takers_.end() ||
                (each.code != Code::ShadowedRule && each.code != Code::PassSkipsDeny))
                return true;
            std::vector<std::string>& rules = taken_.at(found->second);
            if (rules.empty())
                return false; // told with the first
            if (rules.size() > 1)
                each.with_note("the same of " +
                               listed({rules.begin() + 1, rules.end()}, rules.size()));
            rules.clear();
            return true;
        });
    }

    /// Whether the policy as a whole does nothing.
    bool check_policy(const policy::OrderedTier& tier, const Policy& policy,
                      const analyzer::PolicyEffect& effect) {
        // Kubernetes' policies have no order: what one allows is no other's doing.
        if (!effect.effect.reached && !is_kubernetes(policy))
            unreachable(tier, policy);
        else if (!effect.effect.needed && has_overruled_rule(policy))
            return false; // told rule by rule, with what overrules it
        else if (const auto known = effect.effect.needed ? std::nullopt : needless_if(policy)) {
            const std::string why = peer_isolation_.of(policy);
            const char* const remove = "remove it, or check that it selects and says what is meant";
            out_.report(Code::RedundantPolicy, policy.meta.span, {policy.meta.name})
                .about(name_of(policy))
                .with_note("assumes that " + *known)
                .with_proof(context_.proof_of({Claim::What::NotNeeded, policy_name(policy)}))
                .with_hint(why.empty() ? remove : why)
                .as_usual(why.empty() && is_kubernetes(policy));
        }
        return !effect.effect.reached || !effect.effect.needed;
    }

    void unreachable(const policy::OrderedTier& tier, const Policy& policy) {
        auto& diagnostic =
            out_.report(Code::UnreachablePolicy, policy.meta.span, {policy.meta.name, tier.name});
        diagnostic.about(name_of(policy))
            .with_proof(context_.proof_of({Claim::What::NeverReached, policy_name(policy)}));
        std::set<std::string> names;
        std::optional<double> first; // order of those of the same tier
        each_taken(policy, [&](const analyzer::RuleEffect& rule) {
            for (const RuleKey& by : rule.taken_by) {
                const auto& [other_tier, other] = policies_.at(by.policy);
                if (other_tier == &tier && other->order)
                    first = std::min(first.value_or(**other->order), **other->order);
                if (names.insert(analyzer::to_string(by)).second && names.size() <= 4)
                    diagnostic.with_label(effects_.rules.at(by).slot.span,
                                          "takes flows of its rules");
            }
            for (const std::string& tier_before : rule.taken_by_ends)
                names.insert("the end of tier " + tier_before);
        });
        if (!names.empty())
            diagnostic.with_note("what its rules match is decided by " +
                                 listed({names.begin(), names.end()}, 4));
        diagnostic.with_hint(first ? fmt::format("give it an order below {}, or remove it", *first)
                                   : "let what comes before it pass its flows on, or remove it");
    }

    /// act(effect) for each rule of a policy that matches something and never decides.
    template <class Act> void each_taken(const Policy& policy, const Act& act) const {
        const policy::PolicyName own = policy_name(policy);
        for (auto rule = effects_.rules.lower_bound({own, Direction::Ingress, 0});
             rule != effects_.rules.end() && rule->first.policy == own; ++rule)
            if (rule->second.effect.matches && !rule->second.effect.decides)
                act(rule->second);
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
        else if (const auto known = found->second.effect.needed
                                        ? std::nullopt
                                        : known_ends(all_rules(tier.policies)))
            out_.report(Code::VacuousTier, tier.span, {tier.name})
                .about("Tier " + tier.name)
                .with_note("assumes that " + *known)
                .with_proof(context_.proof_of({Claim::What::NotNeeded, tier.name}));
    }

    /// Policies that each do something for an endpoint and together nothing.
    void check_together() {
        for (const auto& [policies, endpoint] : effects_.vacuous) {
            std::vector<std::string> names;
            std::vector<const Policy*> found;
            for (const policy::PolicyName& key : policies.policies) {
                names.push_back(policy::to_string(key));
                found.push_back(policies_.at(key).second);
            }
            const auto known = known_ends(all_rules(found));
            if (!known)
                continue;
            out_.report(Code::PoliciesVacuous,
                        effects_.policies.at(policies.policies.front()).block.span,
                        {listed(names, 4), endpoint, decision::to_string(policies.direction)})
                .about(names.front())
                .with_note("assumes that " + *known)
                .with_proof("for the endpoints that exist and every outside address, exactly");
        }
    }

    struct Takers {
        policy::PolicyName of;
        std::set<policy::PolicyName> policies;
        diag::Severity severity;
        auto operator<=>(const Takers&) const = default;
    };

    Context& context_;
    PeerIsolation peer_isolation_{context_};
    const Effects& effects_;
    Diagnostics& out_;
    std::map<Takers, std::vector<std::string>> taken_; ///< rules of one policy
    std::map<Span, Takers> takers_;                    ///< by place of the rule
    std::map<policy::PolicyName, std::pair<const policy::OrderedTier*, const Policy*>> policies_;
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
