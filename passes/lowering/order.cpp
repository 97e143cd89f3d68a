// Order of tiers and policies: felix/calc/policy_sorter.go.
#include <algorithm>
#include <limits>
#include <unordered_map>

#include "passes/convert_kubernetes.h"
#include "passes/lowering/parts.h"

namespace polecat::passes::lowering {

namespace {

const std::string kUnknownTier = "(not known)"; ///< of policies whose tier or order is not known

/// A Tier without an order is put where tier `default` is, whoever wrote it: Calico fills the order
/// in when it reads one from the datastore (libcalico-go/lib/resources/tier.go, DefaultTierFields).
constexpr double kDefaultTierOrder = 1'000'000;

double order_or_last(const std::optional<double>& order) {
    return order.value_or(std::numeric_limits<double>::infinity());
}

bool tier_before(const OrderedTier& a, const OrderedTier& b) {
    if (a.exists != b.exists)
        return a.exists;
    if (a.order.has_value() != b.order.has_value())
        return a.order.has_value();
    if (order_or_last(a.order) != order_or_last(b.order))
        return order_or_last(a.order) < order_or_last(b.order);
    return a.name < b.name;
}

/// One string, not field by field: "a-b" comes before "a", since '-' is before '/'.
std::string tie_break(const policy::Policy& policy) {
    return policy.meta.name + "/" + policy.meta.space + "/" +
           std::string(policy::to_string(policy.kind));
}

void sort_policies(std::vector<const policy::Policy*>& policies) {
    struct Key {
        double order;
        std::string tie;
        const policy::Policy* policy;
    };
    std::vector<Key> keys;
    keys.reserve(policies.size());
    for (const policy::Policy* policy : policies)
        keys.push_back({policy->order ? policy->order->value : order_or_last(std::nullopt),
                        tie_break(*policy), policy});
    std::stable_sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
        return a.order != b.order ? a.order < b.order : a.tie < b.tie;
    });
    for (std::size_t i = 0; i < keys.size(); ++i)
        policies[i] = keys[i].policy;
}

std::vector<OrderedTier> known_tiers(const policy::Cluster& cluster) {
    std::vector<OrderedTier> tiers;
    for (const policy::Tier& tier : cluster.tiers) {
        OrderedTier known;
        known.name = tier.meta.name;
        known.default_action = *tier.default_action;
        if (tier.order)
            known.order = **tier.order;
        known.span = tier.meta.span;
        tiers.push_back(std::move(known));
    }
    for (const policy::BuiltInTier& built_in : policy::kBuiltInTiers) {
        const auto given = std::find_if(tiers.begin(), tiers.end(), [&](const OrderedTier& tier) {
            return tier.name == built_in.name;
        });
        if (given != tiers.end()) {
            if (built_in.of_api)
                given->order = given->order.value_or(built_in.order);
            continue;
        }
        OrderedTier tier;
        tier.name = built_in.name;
        tier.default_action = built_in.default_action;
        tier.order = built_in.order;
        tiers.push_back(std::move(tier));
    }
    for (OrderedTier& tier : tiers)
        tier.order = tier.order.value_or(kDefaultTierOrder);
    return tiers;
}

} // namespace

} // namespace polecat::passes::lowering

namespace polecat::passes {

policy::OrderedPolicies order_policies(const policy::Cluster& cluster) {
    policy::OrderedPolicies out;
    for (const policy::KubernetesNetworkPolicy& source : cluster.kubernetes_policies)
        out.converted.push_back(convert(source));
    const Enforcer by =
        policy::has_calico_objects(cluster) ? Enforcer::Calico : Enforcer::AsTheApiSays;
    for (const policy::ClusterNetworkPolicy& source : cluster.cluster_policies)
        out.converted.push_back(convert(source, by));
    std::vector<policy::OrderedTier>& tiers = out.tiers;
    tiers = lowering::known_tiers(cluster);
    std::unordered_map<std::string, std::size_t> by_name;
    for (std::size_t i = 0; i < tiers.size(); ++i)
        by_name.emplace(tiers[i].name, i);
    const auto add = [&](const policy::Policy& policy) {
        if (policy.staged_action == "Delete")
            return; // a staged deletion is not a policy
        // What may come before all others is not known before all others.
        const std::string name(policy.place_unread    ? std::string_view(lowering::kUnknownTier)
                               : policy.tier->empty() ? policy::kDefaultTier
                                                      : std::string_view(*policy.tier));
        const auto [place, added] = by_name.emplace(name, tiers.size());
        if (added) {
            policy::OrderedTier tier;
            tier.name = name;
            tier.exists = policy.place_unread;
            if (policy.place_unread) {
                tier.order = -std::numeric_limits<double>::infinity();
                tier.default_action = policy::Action::Pass;
            }
            tier.span = policy.tier.span;
            tiers.push_back(std::move(tier));
        }
        tiers[place->second].policies.push_back(&policy);
    };
    for (const policy::Policy& policy : cluster.policies)
        add(policy);
    for (const policy::Policy& policy : out.converted)
        add(policy);
    std::erase_if(tiers, [](const policy::OrderedTier& tier) { return tier.policies.empty(); });
    std::stable_sort(tiers.begin(), tiers.end(), lowering::tier_before);
    for (policy::OrderedTier& tier : tiers)
        lowering::sort_policies(tier.policies);
    return out;
}

} // namespace polecat::passes
