// NetworkPolicy and StagedKubernetesNetworkPolicy, ClusterNetworkPolicy and its predecessors.
#include "backends/manifests/parts.h"

namespace polecat::backends::manifests {

namespace {

Tree label_selector(const policy::LabelSelector& selector) {
    Tree pairs = Tree::map(), expressions = Tree::list();
    for (const auto& [key, value] : selector.match_labels)
        pairs.put(key, value);
    for (const policy::LabelSelector::Expression& each : selector.expressions) {
        static constexpr const char* kOperators[] = {"In", "NotIn", "Exists", "DoesNotExist"};
        Tree values = Tree::list();
        for (const std::string& value : each.values)
            values.add(value);
        expressions.add(Tree::map()
                            .put("key", each.key)
                            .put("operator", kOperators[static_cast<std::size_t>(each.op)])
                            .put_some("values", std::move(values)));
    }
    return Tree::map()
        .put_some("matchLabels", std::move(pairs))
        .put_some("matchExpressions", std::move(expressions));
}

Tree selector_if(const std::optional<policy::LabelSelector>& selector) {
    return selector ? label_selector(*selector) : Tree();
}

Tree peer(const policy::KubernetesPeer& peer) {
    Tree out = Tree::map();
    out.put("podSelector", selector_if(peer.pod_selector));
    out.put("namespaceSelector", selector_if(peer.namespace_selector));
    if (peer.ip_block)
        out.put("ipBlock", Tree::map()
                               .put("cidr", net::to_string(peer.ip_block->cidr.value))
                               .put_some("except", cidrs(peer.ip_block->except)));
    return out;
}

Tree port(const policy::KubernetesPort& port) {
    Tree out = Tree::map();
    if (port.protocol)
        out.put("protocol", protocol(*port.protocol));
    if (port.port)
        out.put("port", std::visit([](const auto& value) { return Tree(value); }, *port.port));
    if (port.end_port)
        out.put("endPort", *port.end_port);
    return out;
}

Tree rules(const std::vector<policy::KubernetesRule>& list, const char* peers) {
    Tree out = Tree::list();
    for (const policy::KubernetesRule& each : list) {
        Tree ends = Tree::list(), ports = Tree::list();
        for (const policy::KubernetesPeer& one : each.peers)
            ends.add(peer(one));
        for (const policy::KubernetesPort& one : each.ports)
            ports.add(port(one));
        out.add(Tree::map().put_some(peers, std::move(ends)).put_some("ports", std::move(ports)));
    }
    return out;
}

// --- ClusterNetworkPolicy ------------------------------------------------------------------------

Tree cluster_peer(const policy::ClusterPeer& peer) {
    Tree out = Tree::map();
    if (peer.pods)
        out.put("pods", Tree::map()
                            .put("namespaceSelector", selector_if(peer.namespaces))
                            .put("podSelector", label_selector(*peer.pods)));
    else
        out.put("namespaces", selector_if(peer.namespaces));
    out.put_some("networks", cidrs(peer.networks));
    out.put("nodes", selector_if(peer.nodes));
    out.put_some("domainNames", texts(peer.domains));
    return out;
}

Tree number_or_range(const net::PortRange& range) {
    if (range.first == range.last)
        return Tree::map().put("number", range.first);
    return Tree::map().put("range", Tree::map().put("start", range.first).put("end", range.last));
}

Tree port_v1alpha2(const policy::ClusterPort& port) {
    if (!port.protocol)
        return Tree::map().put("destinationNamedPort", port.named);
    Tree inner = Tree::map();
    if (port.range)
        inner.put("destinationPort", number_or_range(*port.range));
    const char* key = *port.protocol == net::kTcp   ? "tcp"
                      : *port.protocol == net::kUdp ? "udp"
                                                    : "sctp";
    return Tree::map().put(key, std::move(inner));
}

Tree port_v1alpha1(const policy::ClusterPort& port) {
    if (!port.protocol || !port.range)
        return Tree::map().put("namedPort", port.named);
    Tree inner = Tree::map().put("protocol", protocol(*port.protocol));
    if (port.range->first == port.range->last)
        return Tree::map().put("portNumber", inner.put("port", port.range->first));
    return Tree::map().put("portRange",
                           inner.put("start", port.range->first).put("end", port.range->last));
}

Tree cluster_rules(const std::vector<policy::ClusterRule>& list, const char* peers, bool v1alpha1) {
    Tree out = Tree::list();
    for (const policy::ClusterRule& each : list) {
        Tree rule = Tree::map();
        if (!each.name.empty())
            rule.put("name", each.name);
        rule.put("action", v1alpha1 && each.action.value == "Accept" ? "Allow" : each.action.value);
        Tree ends = Tree::list(), ports = Tree::list();
        for (const policy::ClusterPeer& one : each.peers)
            ends.add(cluster_peer(one));
        for (const policy::ClusterPort& one : each.ports)
            ports.add(v1alpha1 ? port_v1alpha1(one) : port_v1alpha2(one));
        rule.put(peers, std::move(ends));
        rule.put_some(v1alpha1 ? "ports" : "protocols", std::move(ports));
        out.add(std::move(rule));
    }
    return out;
}

} // namespace

Tree object_of(const policy::KubernetesNetworkPolicy& policy) {
    const bool staged = !policy.staged_action.empty();
    Tree spec = Tree::map();
    if (staged)
        spec.put("stagedAction", policy.staged_action);
    if (policy.staged_action != "Delete") {
        Tree types = Tree::list();
        if (policy.has_ingress_type)
            types.add("Ingress");
        if (policy.has_egress_type)
            types.add("Egress");
        spec.put("podSelector", label_selector(policy.pod_selector));
        spec.put("policyTypes", std::move(types));
        spec.put_some("ingress", rules(policy.ingress, "from"));
        spec.put_some("egress", rules(policy.egress, "to"));
    }
    return object(staged ? kCalico : "networking.k8s.io/v1",
                  staged ? "StagedKubernetesNetworkPolicy" : "NetworkPolicy", policy.meta,
                  std::move(spec));
}

Tree object_of(const policy::ClusterNetworkPolicy& policy) {
    const bool v1alpha1 = policy.kind != "ClusterNetworkPolicy";
    Tree spec = Tree::map();
    if (!v1alpha1)
        spec.put("tier", policy.tier == policy::ClusterTier::Admin ? "Admin" : "Baseline");
    if (policy.kind != "BaselineAdminNetworkPolicy")
        spec.put("priority", Tree::number(*policy.priority));
    spec.put("subject", cluster_peer(policy.subject));
    spec.put_some("ingress", cluster_rules(policy.ingress, "from", v1alpha1));
    spec.put_some("egress", cluster_rules(policy.egress, "to", v1alpha1));
    return object(v1alpha1 ? "policy.networking.k8s.io/v1alpha1"
                           : "policy.networking.k8s.io/v1alpha2",
                  policy.kind, policy.meta, std::move(spec));
}

} // namespace polecat::backends::manifests
