#include <algorithm>
#include <string_view>

#include "ir/policy/objects.h"

namespace polecat::policy {

std::vector<net::Address> Service::outside_ips() const {
    std::vector<net::Address> out = external_ips;
    out.insert(out.end(), ingress_ips.begin(), ingress_ips.end());
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

bool is_staged(PolicyKind kind) {
    return kind == PolicyKind::StagedGlobalNetworkPolicy ||
           kind == PolicyKind::StagedNetworkPolicy ||
           kind == PolicyKind::StagedKubernetesNetworkPolicy;
}

} // namespace polecat::policy
