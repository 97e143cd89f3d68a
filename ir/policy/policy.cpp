#include <string_view>

#include "ir/policy/objects.h"

namespace polecat::policy {

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
