// Tiers and order.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using policy::Action;
using policy::OrderedTier;
using policy::Policy;
using policy::Rule;

namespace {

class TiersChecker {
  public:
    TiersChecker(Context& context, Diagnostics& out) : context_(context), out_(out) {}

    void run() {
        tier_orders();
        for (const OrderedTier& tier : context_.policies.tiers) {
            policy_orders(tier);
            pass_unused(tier);
        }
        disagreements();
        overruled();
        never_passes();
    }

  private:
    static std::string number(double value) {
        return value == std::floor(value) ? fmt::format("{:.0f}", value)
                                          : fmt::format("{:g}", value);
    }

    void tier_orders() {
        std::map<double, const policy::Tier*> seen;
        for (const policy::Tier& tier : context_.cluster.tiers) {
            if (!tier.order) {
                if (tier.meta.name != "default" && !tier.meta.name.starts_with("kube-"))
                    out_.report(Code::TierOrderMissing, tier.meta.span, {tier.meta.name})
                        .about("Tier " + tier.meta.name)
                        .with_hint("give it an order below 1000000 to come before `default`");
                continue;
            }
            if (const auto built_in = ties_with_built_in(tier); !built_in.empty())
                out_.report(Code::TierOrderDuplicate, tier.order->span,
                            {tier.meta.name, built_in, number(**tier.order)})
                    .about("Tier " + tier.meta.name)
                    .with_note(fmt::format("tier {} is there without a manifest", built_in));
            const auto [first, fresh] = seen.emplace(**tier.order, &tier);
            if (!fresh)
                out_.report(Code::TierOrderDuplicate, tier.order->span,
                            {tier.meta.name, first->second->meta.name, number(**tier.order)})
                    .about("Tier " + tier.meta.name)
                    .with_label(first->second->order->span, "the other one");
        }
    }

    /// A tier that Calico has by itself, with policies here, and no Tier object in the input.
    std::string_view ties_with_built_in(const policy::Tier& tier) const {
        for (const policy::BuiltInTier& built_in : policy::kBuiltInTiers) {
            const std::string_view name = built_in.name;
            const auto same = [&](const auto& each) { return each.meta.name == name; };
            const auto& given = context_.cluster.tiers;
            const bool used = std::any_of(
                context_.policies.tiers.begin(), context_.policies.tiers.end(),
                [&](const OrderedTier& each) { return each.name == name && has_enforced(each); });
            if (built_in.of_api && **tier.order == built_in.order && tier.meta.name != name &&
                used && std::none_of(given.begin(), given.end(), same))
                return name;
        }
        return {};
    }

    template <class Does> static bool has_rule(const Policy& policy, const Does& does) {
        return std::any_of(policy.ingress.begin(), policy.ingress.end(), does) ||
               std::any_of(policy.egress.begin(), policy.egress.end(), does);
    }
    static bool lets_some_through(const Policy& policy) {
        return has_rule(policy, [](const Rule& rule) {
            return rule.action == Action::Allow || rule.action == Action::Pass;
        });
    }
    /// A rule for the rest is meant to come last.
    static bool denies_some(const Policy& policy) {
        return has_rule(policy, [](const Rule& rule) {
            return rule.action == Action::Deny && !policy::asks_nothing(rule);
        });
    }

    /// Where some policies of a tier have an order, those without one are easily forgotten. Among
    /// policies that say the same of all flows the order makes no difference.
    void policy_orders(const OrderedTier& tier) {
        const auto calico = [](const Policy* policy) { return !is_kubernetes(*policy); };
        const auto ordered = [&](const auto& does) {
            return std::any_of(tier.policies.begin(), tier.policies.end(), [&](const Policy* each) {
                return calico(each) && each->order.has_value() && does(*each);
            });
        };
        const bool some_deny = ordered(denies_some), some_allow = ordered(lets_some_through);
        for (const Policy* policy : tier.policies)
            if (calico(policy) && !policy->order && policy->staged_action != "Delete" &&
                ((some_deny && lets_some_through(*policy)) || (some_allow && denies_some(*policy))))
                out_.report(Code::PolicyOrderMissing, policy->meta.span,
                            {policy->meta.name, tier.name})
                    .about(name_of(*policy));
    }

    static bool ends_in_deny(const std::vector<Rule>& rules) {
        return !rules.empty() && rules.back().action == Action::Deny &&
               policy::asks_nothing(rules.back());
    }

    void pass_unused(const OrderedTier& tier) {
        if (tier.default_action != Action::Pass || !tier.span.known())
            return;
        const bool all =
            std::all_of(tier.policies.begin(), tier.policies.end(), [](const Policy* policy) {
                return (!policy->ingress_type || ends_in_deny(policy->ingress)) &&
                       (!policy->egress_type || ends_in_deny(policy->egress));
            });
        if (all)
            out_.report(Code::TierPassUnused, tier.span, {tier.name}).about("Tier " + tier.name);
    }

    // --- ties ------------------------------------------------------------------------------------

    /// Policies of one order that disagree about a flow: the name decides which comes first.
    void disagreements() {
        for (const auto& [pair, flow] : context_.effects().conflicts) {
            const Policy* first = find(pair.first);
            const Policy* second = find(pair.second);
            if (first == nullptr || second == nullptr || order(*first) != order(*second))
                continue;
            const bool kubernetes = is_kubernetes(*first) != is_kubernetes(*second);
            const Policy& calico = is_kubernetes(*first) ? *second : *first;
            const Policy& other = is_kubernetes(*first) ? *first : *second;
            auto& diagnostic =
                kubernetes ? out_.report(Code::OrderWithKubernetes, calico.meta.span,
                                         {name_of(calico), name_of(other)})
                           : out_.report(Code::PolicyOrderTie, second->meta.span,
                                         {name_of(*second), name_of(*first), name_of(*first)});
            diagnostic.about(name_of(kubernetes ? calico : *second))
                .with_label(kubernetes ? other.meta.span : first->meta.span, "the other one")
                .with_witness({flow.source, flow.destination, flow.connections})
                .with_hint("give them different orders");
        }
    }

    /// What a cluster's administrators say by ClusterNetworkPolicy, decided before it is asked.
    void overruled() {
        for (const auto& [pair, flow] : context_.effects().overruled) {
            const Policy* before = find(pair.first);
            const Policy* later = find(pair.second);
            if (before == nullptr || later == nullptr || is_kubernetes(*before) ||
                later->kind != policy::PolicyKind::KubernetesClusterNetworkPolicy ||
                *before->tier == *later->tier || *later->tier == policy::kBaselineTier)
                continue; // a baseline is there to be decided before
            out_.report(Code::ClusterPolicyOverruled, later->meta.span,
                        {name_of(*before), *before->tier, *later->tier})
                .about(name_of(*later))
                .with_label(before->meta.span, "decides first")
                .with_witness({flow.source, flow.destination, flow.connections})
                .with_hint(fmt::format("give tier {} an order over 1000, or let the policy pass",
                                       *before->tier));
        }
    }

    static double order(const Policy& policy) { return policy.order ? **policy.order : 1e300; }

    const Policy* find(const policy::PolicyName& key) const {
        for (const OrderedTier& tier : context_.policies.tiers)
            for (const Policy* policy : tier.policies)
                if (policy_name(*policy) == key)
                    return policy;
        return nullptr;
    }

    // --- tiers that hold everything back ---------------------------------------------------------

    /// A tier that ends in Deny before policies that nobody ever asks.
    void never_passes() {
        const auto& effects = context_.effects();
        const auto& tiers = context_.policies.tiers;
        for (std::size_t i = 0; i < tiers.size(); ++i) {
            if (tiers[i].default_action == Action::Pass || !has_enforced(tiers[i]))
                continue;
            std::vector<std::string> starved;
            for (std::size_t j = i + 1; j < tiers.size(); ++j)
                for (const Policy* policy : tiers[j].policies) {
                    const auto found = effects.policies.find(policy_name(*policy));
                    // A baseline is for pods that no NetworkPolicy governs: those can't pass.
                    const bool overridden = is_kubernetes(*policy) && of_kubernetes_only(tiers[i]);
                    if (found != effects.policies.end() && !found->second.effect.reached &&
                        !overridden)
                        starved.push_back(name_of(*policy));
                }
            if (starved.empty() || passes_somewhere(tiers[i]))
                continue;
            const Span span =
                tiers[i].span.known() ? tiers[i].span : tiers[i].policies.front()->meta.span;
            out_.report(Code::TierNeverPasses, span, {tiers[i].name, listed(starved)})
                .about("Tier " + tiers[i].name)
                .with_hint("end its policies with `- action: Pass`, or set defaultAction: Pass");
        }
    }

    static bool of_kubernetes_only(const OrderedTier& tier) {
        return std::all_of(tier.policies.begin(), tier.policies.end(),
                           [](const Policy* policy) { return is_kubernetes(*policy); });
    }

    static bool has_enforced(const OrderedTier& tier) {
        return std::any_of(tier.policies.begin(), tier.policies.end(),
                           [](const Policy* policy) { return !policy::is_staged(policy->kind); });
    }

    static bool passes_somewhere(const OrderedTier& tier) {
        for (const Policy* policy : tier.policies)
            for (const auto* rules : {&policy->ingress, &policy->egress})
                for (const Rule& rule : *rules)
                    if (rule.action == Action::Pass && !policy::is_staged(policy->kind))
                        return true;
        return false;
    }

    Context& context_;
    Diagnostics& out_;
};

} // namespace

void check_tiers(Context& context, Diagnostics& out) {
    TiersChecker(context, out).run();
}

} // namespace polecat::lint
