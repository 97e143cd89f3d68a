#include <string_view>

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

std::string_view to_string(PolicyKind kind) {
    switch (kind) {
    case PolicyKind::GlobalNetworkPolicy:
        return "GlobalNetworkPolicy";
    case PolicyKind::NetworkPolicy:
        return "NetworkPolicy";
    case PolicyKind::KubernetesNetworkPolicy:
        return "KubernetesNetworkPolicy";
    case PolicyKind::KubernetesClusterNetworkPolicy:
        return "KubernetesClusterNetworkPolicy";
    case PolicyKind::StagedGlobalNetworkPolicy:
        return "StagedGlobalNetworkPolicy";
    case PolicyKind::StagedNetworkPolicy:
        return "StagedNetworkPolicy";
    case PolicyKind::StagedKubernetesNetworkPolicy:
        return "StagedKubernetesNetworkPolicy";
    }
    return "NetworkPolicy";
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
    return end.nets.empty() && end.not_nets.empty() && !is_present(end.selector) &&
           !is_present(end.not_selector) && !is_present(end.namespace_selector) &&
           !end.service_accounts && !end.services && end.ports.empty() && end.not_ports.empty() &&
           end.domains.empty() && !end.nodes;
}

bool asks_nothing(const Rule& rule) {
    return !rule.protocol && !rule.not_protocol && !rule.icmp && !rule.not_icmp && !rule.http &&
           !rule.ip_version && !rule.unread.known() && asks_nothing(rule.source) &&
           asks_nothing(rule.destination);
}

bool is_staged(PolicyKind kind) {
    return kind == PolicyKind::StagedGlobalNetworkPolicy ||
           kind == PolicyKind::StagedNetworkPolicy ||
           kind == PolicyKind::StagedKubernetesNetworkPolicy;
}

} // namespace polecat::policy
