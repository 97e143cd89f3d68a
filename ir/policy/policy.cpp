#include <string_view>

#include "ir/policy/kubernetes.h"
#include "ir/policy/objects.h"
#include "ir/policy/scope.h"

namespace polecat::policy {

std::vector<net::Address> Service::outside_ips() const {
    std::vector<net::Address> out = external_ips;
    out.insert(out.end(), ingress_ips.begin(), ingress_ips.end());
    if (ingress_ips.empty() && load_balancer_ip && type == "LoadBalancer")
        out.push_back(*load_balancer_ip);
    return out;
}

bool Secret::has(std::string_view key) const {
    return std::any_of(keys.begin(), keys.end(),
                       [&](const At<std::string>& each) { return each.value == key; });
}

std::string_view to_string(Action action) {
    switch (action) {
    case Action::Allow:
        return "Allow";
    case Action::Deny:
        return "Deny";
    case Action::Pass:
        return "Pass";
    case Action::Log:
        return "Log";
    }
    return "";
}

bool asks_nothing(const EntityRule& end) {
    const auto& [nets, not_nets, selector, not_selector, namespace_selector, accounts, services,
                 ports, not_ports, domains, nodes, span] = end;
    return nets.empty() && not_nets.empty() && !is_present(selector) && !is_present(not_selector) &&
           !is_present(namespace_selector) && !accounts && !services && ports.empty() &&
           not_ports.empty() && domains.empty() && !nodes;
}

bool asks_nothing(const Rule& rule) {
    const auto& [action, ip_version, protocol, not_protocol, icmp, not_icmp, source, destination,
                 http, name, index, span, action_span, unread, any_action] = rule;
    return !protocol && !not_protocol && !icmp && !not_icmp && !http && !ip_version &&
           !unread.known() && asks_nothing(source) && asks_nothing(destination);
}

PolicyName policy_name(const Policy& policy) {
    return {policy.manifest_kind.empty() ? std::string(to_string(policy.kind))
                                         : policy.manifest_kind,
            is_global(policy.kind) ? "" : policy.meta.space, policy.meta.name, policy.kind};
}

PolicyName policy_name(const KubernetesNetworkPolicy& policy) {
    if (policy.staged_action.empty())
        return {"NetworkPolicy", policy.meta.space, policy.meta.name,
                PolicyKind::KubernetesNetworkPolicy};
    const auto kind = PolicyKind::StagedKubernetesNetworkPolicy;
    return {std::string(to_string(kind)), policy.meta.space, policy.meta.name, kind};
}

} // namespace polecat::policy
