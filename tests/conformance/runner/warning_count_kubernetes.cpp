// Warnings about a Kubernetes NetworkPolicy.
#include "ir/policy/scope.h"
#include "passes/convert_kubernetes.h"
#include "tests/conformance/runner/selected.h"

namespace polecat::conformance {

using policy::LabelSelector;
using Kind = SelectionWarning::Kind;

namespace {

bool says_something(const LabelSelector& selector) {
    return !selector.match_labels.empty() || !selector.expressions.empty();
}

/// Pods of any namespace.
Selected pods(const LabelSelector& selector, Picker& pick) {
    const Selected out = pick.matching(passes::convert_selector(selector, false));
    if (says_something(selector) && out.empty())
        pick.warn(Kind::Nothing, "podSelector selects nothing");
    return out;
}

Selected pods_of_namespaces(const LabelSelector& selector, Picker& pick) {
    const Selected everything = pick.in_namespaces();
    const Selected out =
        everything &
        pick.matching(
            passes::convert_selector(selector, false).with_prefix(policy::kNamespacePrefix));
    if (!says_something(selector))
        return everything;
    if (out.empty())
        pick.warn(Kind::Nothing, "namespaceSelector selects nothing");
    else if (out == pick.in_namespace(""))
        pick.warn(Kind::Everything, "namespaceSelector selects everything");
    return out;
}

Selected peer_of(const policy::KubernetesPeer& peer, const std::string& space, Picker& pick) {
    if (peer.ip_block)
        return Selected{{}, true};
    const Selected where = peer.namespace_selector
                               ? pods_of_namespaces(*peer.namespace_selector, pick)
                               : pick.in_namespace(space);
    if (!peer.pod_selector)
        return where;
    const Selected out = pods(*peer.pod_selector, pick) & where;
    if (says_something(*peer.pod_selector) && !out.empty() && out == where)
        pick.warn(Kind::Everything, "podSelector selects every pod of its namespaces");
    return out;
}

void check_rule(const policy::KubernetesRule& rule, const std::string& space, Picker& pick) {
    Selected peers = rule.peers.empty() ? pick.all() : Selected{};
    for (const policy::KubernetesPeer& peer : rule.peers)
        peers = peers | peer_of(peer, space, pick);
    if (peers.empty())
        pick.warn(Kind::Nothing, "rule selects nothing");
}

} // namespace

void warn_about(const policy::KubernetesNetworkPolicy& policy, Picker& pick) {
    if (!policy.types_given)
        pick.warn(Kind::Unclear, "no policyTypes");
    const std::string& space = policy.meta.space;
    pods(policy.pod_selector, pick);
    for (const auto& rule : policy.ingress)
        check_rule(rule, space, pick);
    for (const auto& rule : policy.egress)
        check_rule(rule, space, pick);
}

} // namespace polecat::conformance
