// Policies, tiers, profiles and sets of Calico.
#include "backends/manifests/parts.h"

namespace polecat::backends::manifests {

namespace {

Tree selector(const Box<policy::SelectorField>& field) {
    return field ? Tree(field->text) : Tree();
}

Tree ports(const std::vector<policy::Port>& list) {
    Tree out = Tree::list();
    for (const policy::Port& port : list) {
        const auto* range = std::get_if<net::PortRange>(&port.value);
        if (range == nullptr)
            out.add(std::get<std::string>(port.value));
        else if (range->first == range->last)
            out.add(range->first);
        else
            out.add(std::to_string(range->first) + ":" + std::to_string(range->last));
    }
    return out;
}

Tree accounts(const policy::ServiceAccountMatch& match) {
    return Tree::map()
        .put_some("names", texts(match.names))
        .put("selector", selector(match.selector));
}

Tree entity(const policy::EntityRule& entity) {
    // `nodes` is of ClusterNetworkPolicy alone, which is written as what it is.
    const auto& [nets, not_nets, positive, not_selector, namespace_selector, account, services,
                 port, not_ports, domains, nodes, span] = entity;
    Tree out = Tree::map();
    out.put("selector", selector(positive));
    out.put("notSelector", selector(not_selector));
    out.put("namespaceSelector", selector(namespace_selector));
    if (account)
        out.put("serviceAccounts", accounts(*account));
    if (services)
        out.put("services",
                Tree::map()
                    .put("name", services->name)
                    .put("namespace", services->space.empty() ? Tree() : Tree(services->space)));
    out.put_some("nets", cidrs(nets));
    out.put_some("notNets", cidrs(not_nets));
    out.put_some("ports", ports(port));
    out.put_some("notPorts", ports(not_ports));
    out.put_some("domains", texts(domains));
    return out;
}

Tree icmp(const Box<policy::IcmpMatch>& match) {
    if (!match)
        return {};
    return Tree::map()
        .put("type", match->type ? Tree(*match->type) : Tree())
        .put("code", match->code ? Tree(*match->code) : Tree());
}

Tree http(const policy::HttpMatch& match) {
    Tree methods = Tree::list(), paths = Tree::list();
    for (const std::string& method : match.methods)
        methods.add(method);
    for (const policy::HttpPath& path : match.paths)
        paths.add(Tree::map().put(path.kind == policy::HttpPath::Kind::Exact ? "exact" : "prefix",
                                  path.text));
    return Tree::map().put_some("methods", std::move(methods)).put_some("paths", std::move(paths));
}

Tree rules(const std::vector<policy::Rule>& list) {
    Tree out = Tree::list();
    for (const policy::Rule& each : list)
        out.add(rule(each));
    return out;
}

Tree types(const policy::Policy& policy) {
    Tree out = Tree::list();
    if (policy.ingress_type)
        out.add("Ingress");
    if (policy.egress_type)
        out.add("Egress");
    return out;
}

} // namespace

Tree rule(const policy::Rule& rule) {
    const auto& [action, ip_version, positive, not_protocol, type, not_icmp, source, destination,
                 requests, name, index, span, action_span, unread, any_action] = rule;
    Tree out = Tree::map();
    out.put("action", policy::to_string(action));
    if (ip_version)
        out.put("ipVersion", ip_version->value);
    if (positive)
        out.put("protocol", protocol(positive->value));
    if (not_protocol)
        out.put("notProtocol", protocol(not_protocol->value));
    out.put("icmp", icmp(type));
    out.put("notICMP", icmp(not_icmp));
    out.put_some("source", entity(source));
    out.put_some("destination", entity(destination));
    if (requests)
        out.put("http", http(*requests));
    return out;
}

Tree object_of(const policy::Policy& policy) {
    Tree spec = Tree::map();
    spec.put("tier", policy.tier.value);
    if (policy.order)
        spec.put("order", Tree::number(**policy.order));
    if (!policy.staged_action.empty())
        spec.put("stagedAction", policy.staged_action);
    if (policy.staged_action == "Delete")
        return object(kCalico, policy.manifest_kind, policy.meta, std::move(spec));
    spec.put("selector", selector(policy.selector));
    spec.put("namespaceSelector", selector(policy.namespace_selector));
    spec.put("serviceAccountSelector", selector(policy.service_account_selector));
    for (const auto& [key, on] :
         {std::pair{"doNotTrack", *policy.do_not_track}, std::pair{"preDNAT", *policy.pre_dnat},
          std::pair{"applyOnForward", *policy.apply_on_forward}})
        if (on)
            spec.put(key, true);
    spec.put_some("performanceHints", texts(policy.performance_hints));
    spec.put("types", types(policy));
    spec.put_some("ingress", rules(policy.ingress));
    spec.put_some("egress", rules(policy.egress));
    return object(kCalico, policy.manifest_kind, policy.meta, std::move(spec));
}

Tree object_of(const policy::Tier& tier) {
    return object(kCalico, "Tier", tier.meta,
                  Tree::map()
                      .put("order", tier.order ? Tree::number(**tier.order) : Tree())
                      .put("defaultAction", policy::to_string(*tier.default_action)));
}

Tree object_of(const policy::Profile& profile) {
    return object(kCalico, "Profile", profile.meta,
                  Tree::map()
                      .put_some("labelsToApply", labels(profile.labels_to_apply))
                      .put_some("ingress", rules(profile.ingress))
                      .put_some("egress", rules(profile.egress)));
}

Tree object_of(const policy::NetworkSet& set) {
    return object(kCalico, set.meta.space.empty() ? "GlobalNetworkSet" : "NetworkSet", set.meta,
                  Tree::map()
                      .put_some("nets", cidrs(set.nets))
                      .put_some("allowedEgressDomains", texts(set.allowed_egress_domains)));
}

} // namespace polecat::backends::manifests
