/// What a policy is called: the one way to tell policies apart and to name them.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace polecat::policy {

/// Which kind of object a policy was: counts in the tie-break of the order
/// (felix/calc/policy_sorter.go) and in how people name it.
enum class PolicyKind : std::uint8_t {
    GlobalNetworkPolicy,
    NetworkPolicy,
    KubernetesNetworkPolicy,
    KubernetesClusterNetworkPolicy,
    StagedGlobalNetworkPolicy,
    StagedNetworkPolicy,
    StagedKubernetesNetworkPolicy,
};
std::string_view to_string(PolicyKind kind);
bool is_staged(PolicyKind kind);
bool is_global(PolicyKind kind);

/// Two policies are the same when this is. What the manifests call NetworkPolicy is one of
/// Kubernetes or of Calico, and a namespace may hold both under one name: `kind` tells them apart.
struct PolicyName {
    std::string manifest_kind; ///< the kind in the manifest ("ClusterNetworkPolicy")
    std::string space, name;   ///< space: empty for global ones
    PolicyKind kind = PolicyKind::NetworkPolicy;
    auto operator<=>(const PolicyName&) const = default;
};
std::string to_string(const PolicyName& name); ///< "NetworkPolicy shop/web"

} // namespace polecat::policy
