#include "passes/enforce_staged.h"

#include <string_view>

namespace polecat::passes {

using policy::KubernetesNetworkPolicy;
using policy::Policy;
using policy::PolicyKind;

namespace {

/// Whether the staged policy says something about the enforced one of its name.
bool takes_effect(const std::string& action) {
    return action != "Learn" && action != "Ignore";
}

PolicyKind enforced_kind(PolicyKind kind) {
    return kind == PolicyKind::StagedGlobalNetworkPolicy ? PolicyKind::GlobalNetworkPolicy
                                                         : PolicyKind::NetworkPolicy;
}

bool same_name(const policy::Metadata& a, const policy::Metadata& b) {
    return a.space == b.space && a.name == b.name;
}

std::vector<Policy> calico_policies(const std::vector<Policy>& policies) {
    std::vector<Policy> out, staged;
    for (const Policy& each : policies)
        (policy::is_staged(each.kind) ? staged : out).push_back(each);
    for (Policy& each : staged) {
        if (!takes_effect(each.staged_action))
            continue;
        const PolicyKind kind = enforced_kind(each.kind);
        std::erase_if(out, [&](const Policy& other) {
            return other.kind == kind && same_name(other.meta, each.meta);
        });
        if (each.staged_action == "Delete")
            continue;
        each.kind = kind;
        each.manifest_kind = each.manifest_kind.substr(std::string_view("Staged").size());
        each.staged_action.clear();
        out.push_back(std::move(each));
    }
    return out;
}

std::vector<KubernetesNetworkPolicy>
kubernetes_policies(const std::vector<KubernetesNetworkPolicy>& policies) {
    std::vector<KubernetesNetworkPolicy> out, staged;
    for (const KubernetesNetworkPolicy& each : policies)
        (each.staged_action.empty() ? out : staged).push_back(each);
    for (KubernetesNetworkPolicy& each : staged) {
        if (!takes_effect(each.staged_action))
            continue;
        std::erase_if(out, [&](const KubernetesNetworkPolicy& other) {
            return same_name(other.meta, each.meta);
        });
        if (each.staged_action == "Delete")
            continue;
        each.staged_action.clear();
        out.push_back(std::move(each));
    }
    return out;
}

} // namespace

policy::Cluster enforce_staged(const policy::Cluster& cluster) {
    policy::Cluster out = cluster;
    out.policies = calico_policies(cluster.policies);
    out.kubernetes_policies = kubernetes_policies(cluster.kubernetes_policies);
    return out;
}

} // namespace polecat::passes
