#include "tests/conformance/runner/configuration.h"

#include <algorithm>

#include "passes/lower.h"

namespace polecat::conformance {

using policy::Cluster;
using policy::Direction;

namespace {

/// Takes the rules of those indices out of a list.
template <class Rules>
void remove_rules(Rules& list, Direction direction, const std::vector<RuleRef>& rules) {
    Rules left;
    for (std::size_t i = 0; i < list.size(); ++i)
        if (std::find(rules.begin(), rules.end(), RuleRef{direction, i}) == rules.end())
            left.push_back(list[i]);
    list = std::move(left);
}

/// Leaves a policy one rule.
template <class AnyPolicy> void keep_rule(AnyPolicy& policy, const RuleRef& rule) {
    const bool ingress = rule.direction == Direction::Ingress;
    auto& list = ingress ? policy.ingress : policy.egress;
    auto kept = list[rule.index];
    list.assign(1, std::move(kept));
    (ingress ? policy.egress : policy.ingress).clear();
}

/// The configuration of a changed copy of the cluster.
template <class Change> Configuration changed(const Configuration& from, const Change& change) {
    Cluster cluster = from.cluster;
    change(cluster);
    return configure(from.name, std::move(cluster));
}

void remove_policies(Cluster& cluster) {
    cluster.policies.clear();
    cluster.kubernetes_policies.clear();
    cluster.cluster_policies.clear();
}

template <class List> void remove_at(List& list, std::size_t index) {
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(index));
}

template <class List> std::size_t rules_in(const List& policy, Direction direction) {
    return direction == Direction::Ingress ? policy.ingress.size() : policy.egress.size();
}

} // namespace

Configuration configure(std::string name, Cluster cluster) {
    passes::LowerOptions options;
    options.unknown_address = decision::UnknownAddress::OutsideBlocks;
    Configuration out{std::move(name), std::move(cluster), {}, {}};
    auto [policies, lowered] = passes::lower(out.cluster, options);
    out.policies = std::move(policies);
    out.lowered = std::move(lowered);
    return out;
}

std::vector<PolicyRef> policies_of(const Cluster& cluster) {
    std::vector<PolicyRef> out;
    for (std::size_t i = 0; i < cluster.kubernetes_policies.size(); ++i) {
        const auto& each = cluster.kubernetes_policies[i];
        if (each.staged_action.empty())
            out.push_back({policy_name(each), i});
    }
    for (std::size_t i = 0; i < cluster.policies.size(); ++i) {
        const auto& each = cluster.policies[i];
        if (!policy::is_staged(each.kind))
            out.push_back({policy_name(each), i});
    }
    return out;
}

std::vector<RuleRef> rules_of(const Cluster& cluster, const PolicyRef& policy) {
    std::vector<RuleRef> out;
    for (const Direction direction : {Direction::Ingress, Direction::Egress}) {
        const std::size_t count =
            policy.is_kubernetes() ? rules_in(cluster.kubernetes_policies[policy.index], direction)
                                   : rules_in(cluster.policies[policy.index], direction);
        for (std::size_t i = 0; i < count; ++i)
            out.push_back({direction, i});
    }
    return out;
}

Configuration without_policies(const Configuration& from) {
    return changed(from, remove_policies);
}

Configuration without_policy(const Configuration& from, const PolicyRef& policy) {
    return changed(from, [&](Cluster& cluster) {
        if (policy.is_kubernetes())
            remove_at(cluster.kubernetes_policies, policy.index);
        else
            remove_at(cluster.policies, policy.index);
    });
}

Configuration without_rules(const Configuration& from, const PolicyRef& policy,
                            const std::vector<RuleRef>& rules) {
    const auto remove = [&](auto& object) {
        remove_rules(object.ingress, Direction::Ingress, rules);
        remove_rules(object.egress, Direction::Egress, rules);
    };
    return changed(from, [&](Cluster& cluster) {
        if (policy.is_kubernetes())
            remove(cluster.kubernetes_policies[policy.index]);
        else
            remove(cluster.policies[policy.index]);
    });
}

Configuration with_only(const Configuration& from, const PolicyRef& policy) {
    return changed(from, [&](Cluster& cluster) {
        remove_policies(cluster);
        if (policy.is_kubernetes())
            cluster.kubernetes_policies.push_back(from.cluster.kubernetes_policies[policy.index]);
        else
            cluster.policies.push_back(from.cluster.policies[policy.index]);
    });
}

Configuration with_rule_alone(const Configuration& from, const PolicyRef& policy,
                              const RuleRef& rule) {
    const bool ingress = rule.direction == Direction::Ingress;
    return changed(from, [&](Cluster& cluster) {
        remove_policies(cluster);
        if (policy.is_kubernetes()) {
            auto& only = cluster.kubernetes_policies.emplace_back(
                from.cluster.kubernetes_policies[policy.index]);
            only.has_ingress_type = ingress;
            only.has_egress_type = !ingress;
            keep_rule(only, rule);
            return;
        }
        auto& only = cluster.policies.emplace_back(from.cluster.policies[policy.index]);
        only.ingress_type = ingress;
        only.egress_type = !ingress;
        keep_rule(only, rule);
        (ingress ? only.ingress : only.egress).front().action = policy::Action::Allow;
    });
}

policy::Action action_of(const Cluster& cluster, const PolicyRef& policy, const RuleRef& rule) {
    if (policy.is_kubernetes())
        return policy::Action::Allow;
    const auto& object = cluster.policies[policy.index];
    return (rule.direction == Direction::Ingress ? object.ingress : object.egress)[rule.index]
        .action;
}

Configuration policies_in(const Configuration& policies, const Configuration& topology) {
    Configuration out = changed(topology, [&](Cluster& cluster) {
        cluster.policies = policies.cluster.policies;
        cluster.kubernetes_policies = policies.cluster.kubernetes_policies;
        cluster.cluster_policies = policies.cluster.cluster_policies;
        cluster.tiers = policies.cluster.tiers;
    });
    out.name = policies.name;
    return out;
}

} // namespace polecat::conformance
