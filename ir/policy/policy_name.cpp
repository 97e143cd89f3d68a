#include "ir/policy/policy_name.h"

#include "ir/policy/metadata.h"

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

bool is_staged(PolicyKind kind) {
    return kind == PolicyKind::StagedGlobalNetworkPolicy ||
           kind == PolicyKind::StagedNetworkPolicy ||
           kind == PolicyKind::StagedKubernetesNetworkPolicy;
}

bool is_global(PolicyKind kind) {
    return kind == PolicyKind::GlobalNetworkPolicy ||
           kind == PolicyKind::StagedGlobalNetworkPolicy ||
           kind == PolicyKind::KubernetesClusterNetworkPolicy;
}

namespace {

std::string qualified(const std::string& space, const std::string& name) {
    return space.empty() ? name : space + "/" + name;
}

} // namespace

std::string to_string(const PolicyName& name) {
    const std::string known = name.name.empty() ? "(no readable name)" : name.name;
    return name.manifest_kind + " " + qualified(name.space, known);
}

std::string full_name(const Metadata& meta) {
    return qualified(meta.space, meta.name);
}

} // namespace polecat::policy
