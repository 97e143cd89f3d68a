// Everything that is no policy: namespaces, nodes, endpoints, services, settings.
#include "backends/manifests/parts.h"

#include <algorithm>
#include <charconv>

namespace polecat::backends::manifests {

Tree labels(const selector::Labels& labels) {
    Tree out = Tree::map();
    for (const auto& [key, value] : labels)
        out.put(std::string(key), std::string(value));
    return out;
}

Tree metadata(const policy::Metadata& meta) {
    Tree annotations = Tree::map();
    for (const auto& [key, value] : meta.annotations)
        annotations.put(key, value);
    return Tree::map()
        .put("name", meta.name)
        .put("namespace", meta.space.empty() ? Tree() : Tree(meta.space))
        .put_some("labels", labels(meta.labels))
        .put_some("annotations", std::move(annotations));
}

Tree object(std::string_view api_version, std::string_view kind, const policy::Metadata& meta,
            Tree spec) {
    return Tree::map()
        .put("apiVersion", api_version)
        .put("kind", kind)
        .put("metadata", metadata(meta))
        .put_some("spec", std::move(spec));
}

Tree cidrs(const std::vector<At<net::Cidr>>& nets) {
    Tree out = Tree::list();
    for (const At<net::Cidr>& each : nets)
        out.add(net::to_string(each.value));
    return out;
}

Tree texts(const std::vector<At<std::string>>& list) {
    Tree out = Tree::list();
    for (const At<std::string>& each : list)
        out.add(each.value);
    return out;
}

Tree protocol(net::Protocol protocol) {
    const std::string name = net::to_string_protocol(protocol);
    return name.front() >= '0' && name.front() <= '9' ? Tree(protocol) : Tree(name);
}

namespace {

Tree addresses(const std::vector<net::Address>& list) {
    Tree out = Tree::list();
    for (const net::Address& each : list)
        out.add(net::to_string(each));
    return out;
}

Tree text_if(const std::string& text) {
    return text.empty() ? Tree() : Tree(text);
}

/// Ports as containers and endpoints declare them; `number`: the key of the number.
Tree ports(const std::vector<policy::EndpointPort>& list, const char* number) {
    Tree out = Tree::list();
    for (const policy::EndpointPort& each : list)
        out.add(Tree::map()
                    .put("name", text_if(each.name))
                    .put("protocol", protocol(each.protocol))
                    .put(number, each.port)
                    .put("hostPort", each.host_port == 0 ? Tree() : Tree(each.host_port)));
    return out;
}

Tree owner(const policy::Workload& workload) {
    if (workload.owner_name.empty())
        return {};
    Tree one = Tree::map().put("kind", workload.owner_kind).put("name", workload.owner_name);
    return Tree::list().add(std::move(one));
}

Tree pod_spec(const policy::Workload& workload) {
    Tree container =
        Tree::map()
            .put("name", "c")
            .put("image", "i") // else it looks like a part of a workload
            .put_some("ports", ports(workload.listens.empty() ? workload.ports : workload.listens,
                                     "containerPort"));
    Tree out = Tree::map();
    out.put("nodeName", text_if(workload.node));
    out.put("serviceAccountName", text_if(workload.service_account));
    if (workload.host_network)
        out.put("hostNetwork", true);
    return out.put("containers", Tree::list().add(std::move(container)));
}

Tree pod_status(const policy::Workload& pod) {
    Tree ips = Tree::list();
    for (const At<net::Cidr>& address : pod.addresses)
        ips.add(Tree::map().put("ip", net::to_string(address->base)));
    return Tree::map()
        .put("phase", pod.finished ? Tree("Succeeded") : Tree())
        .put_some("podIPs", std::move(ips));
}

const char* api_version_of(const std::string& kind) {
    if (kind == "ReplicationController")
        return "v1";
    return kind == "Job" || kind == "CronJob" ? "batch/v1" : "apps/v1";
}

Tree template_of(const policy::Workload& workload) {
    Tree annotations = Tree::map();
    for (const auto& [key, value] : workload.pod_annotations)
        annotations.put(key, value);
    return Tree::map()
        .put_some("metadata", Tree::map()
                                  .put_some("labels", labels(workload.pod_labels))
                                  .put_some("annotations", std::move(annotations)))
        .put("spec", pod_spec(workload));
}

Tree workload_endpoint(const policy::Workload& workload) {
    Tree networks = Tree::list();
    for (const At<net::Cidr>& address : workload.addresses)
        networks.add(net::to_string(address.value));
    return object(kCalico, "WorkloadEndpoint", workload.meta,
                  Tree::map()
                      .put("node", text_if(workload.node))
                      .put("interfaceName", text_if(workload.interface_name))
                      .put("serviceAccountName", text_if(workload.service_account))
                      .put_some("ipNetworks", std::move(networks))
                      .put_some("profiles", texts(workload.profiles))
                      .put_some("ports", ports(workload.ports, "port")));
}

} // namespace

Tree object_of(const policy::Namespace& space) {
    return object("v1", "Namespace", space.meta, {});
}

Tree object_of(const policy::ServiceAccount& account) {
    return object("v1", "ServiceAccount", account.meta, {});
}

Tree object_of(const policy::Node& node) {
    if (node.is_calico)
        return object(kCalico, "Node", node.meta, tree_of(node.spec));
    Tree spec = Tree::map(), cidrs = Tree::list(), held = Tree::list();
    for (const net::Cidr& each : node.pod_cidrs)
        cidrs.add(net::to_string(each));
    for (const net::Address& each : node.addresses)
        held.add(Tree::map().put("type", "InternalIP").put("address", net::to_string(each)));
    Tree out = object("v1", "Node", node.meta, spec.put_some("podCIDRs", std::move(cidrs)));
    return out.put_some("status", Tree::map().put_some("addresses", std::move(held)));
}

Tree object_of(const policy::Workload& workload) {
    if (workload.kind == "WorkloadEndpoint")
        return workload_endpoint(workload);
    const bool pod = workload.kind == "Pod";
    Tree meta = metadata(workload.meta);
    meta.put("ownerReferences", owner(workload));
    Tree spec = pod ? pod_spec(workload) : Tree::map();
    if (workload.replicas)
        spec.put("replicas", workload.replicas->value);
    if (!pod)
        spec.put("template", template_of(workload));
    if (workload.kind == "CronJob")
        spec = Tree::map().put("jobTemplate", Tree::map().put("spec", std::move(spec)));
    return Tree::map()
        .put("apiVersion", pod ? "v1" : api_version_of(workload.kind))
        .put("kind", workload.kind)
        .put("metadata", std::move(meta))
        .put("spec", std::move(spec))
        .put_some("status", pod ? pod_status(workload) : Tree());
}

Tree object_of(const policy::HostEndpoint& endpoint) {
    Tree ips = Tree::list();
    for (const At<net::Address>& each : endpoint.expected_ips)
        ips.add(net::to_string(each.value));
    return object(kCalico, "HostEndpoint", endpoint.meta,
                  Tree::map()
                      .put("node", endpoint.node)
                      .put("interfaceName", text_if(endpoint.interface_name))
                      .put_some("expectedIPs", std::move(ips))
                      .put_some("profiles", texts(endpoint.profiles))
                      .put_some("ports", ports(endpoint.ports, "port")));
}

Tree object_of(const policy::Service& service) {
    Tree selector = Tree::map(), list = Tree::list();
    for (const auto& [key, value] : service.selector)
        selector.put(key, value);
    for (const policy::ServicePort& each : service.ports) {
        Tree port = Tree::map();
        port.put("name", text_if(each.name));
        port.put("protocol", protocol(each.protocol)).put("port", each.port);
        if (const auto* number = std::get_if<std::uint16_t>(&each.target_port))
            port.put("targetPort", *number == 0 ? Tree() : Tree(*number));
        else
            port.put("targetPort", std::get<std::string>(each.target_port));
        port.put("nodePort", each.node_port == 0 ? Tree() : Tree(each.node_port));
        list.add(std::move(port));
    }
    Tree ranges = Tree::list();
    for (const net::Cidr& range : service.source_ranges)
        ranges.add(net::to_string(range));
    return object("v1", "Service", service.meta,
                  Tree::map()
                      .put("type", service.type)
                      .put("clusterIP", service.headless ? Tree("None") : Tree())
                      .put_some("clusterIPs", addresses(service.cluster_ips))
                      .put_some("externalIPs", addresses(service.outside_ips()))
                      .put("externalTrafficPolicy", text_if(service.external_traffic_policy))
                      .put("internalTrafficPolicy", text_if(service.internal_traffic_policy))
                      .put_some("loadBalancerSourceRanges", std::move(ranges))
                      .put_some("selector", std::move(selector))
                      .put_some("ports", std::move(list)));
}

Tree object_of(const policy::ServiceEndpoints& endpoints) {
    policy::Metadata meta = endpoints.meta;
    if (!endpoints.service.empty())
        meta.labels.set("kubernetes.io/service-name", endpoints.service);
    Tree ports = Tree::list();
    for (const auto& each : endpoints.ports) {
        Tree port = Tree::map().put("name", text_if(each.name));
        port.put("protocol", protocol(each.protocol));
        ports.add(std::move(port.put("port", each.port ? Tree(*each.port) : Tree())));
    }
    Tree one = Tree::map().put("addresses", addresses(endpoints.addresses));
    const bool v6 =
        !endpoints.addresses.empty() && endpoints.addresses.front().family == net::Family::V6;
    return object("discovery.k8s.io/v1", "EndpointSlice", meta, {})
        .put("addressType", v6 ? "IPv6" : "IPv4")
        .put("endpoints", Tree::list().add(std::move(one)))
        .put_some("ports", std::move(ports));
}

Tree object_of(const policy::FabricInventory& inventory) {
    const auto number = [](const std::optional<At<net::AsNumber>>& each) {
        return each ? Tree(each->value) : Tree();
    };
    Tree routers = Tree::list(), racks = Tree::list();
    for (const policy::FabricRouter& each : inventory.routers)
        routers.add(Tree::map()
                        .put("name", text_if(each.name))
                        .put("address", net::to_string(each.address.value))
                        .put("asNumber", each.as_number.value)
                        .put("rack", each.rack ? Tree(each.rack->value) : Tree())
                        .put("nodeASNumber", number(each.node_as_number)));
    for (const policy::FabricRack& each : inventory.racks)
        racks.add(
            Tree::map()
                .put("name", each.name.value)
                .put("nodeSelector", each.node_selector ? Tree(each.node_selector->text) : Tree())
                .put("nodeASNumber", number(each.node_as_number)));
    return object(
        "polecat/v1", "FabricInventory", inventory.meta,
        Tree::map().put_some("routers", std::move(routers)).put_some("racks", std::move(racks)));
}

// --- settings ------------------------------------------------------------------------------------

namespace {

struct SettingText {
    Tree operator()(const std::string& text) const { return text; }
    Tree operator()(bool value) const { return value; }
    Tree operator()(std::int64_t value) const { return value; }
    Tree operator()(const net::Cidr& cidr) const { return net::to_string(cidr); }
    Tree operator()(const net::Address& address) const { return net::to_string(address); }
    Tree operator()(const policy::SelectorField& field) const { return field.text; }
};

/// The tree of everything below `at`. `names`: the fields right below it, in order.
Tree below(const policy::Settings& settings, const std::string& at) {
    for (const auto& [path, value] : settings)
        if (path == at)
            return std::visit(SettingText{}, value.value);
    if (settings.has(at)) { // a list
        Tree out = Tree::list();
        for (std::size_t i = 0; i < settings.size(at); ++i)
            out.add(below(settings, at + "[" + std::to_string(i) + "]"));
        return out;
    }
    Tree out = Tree::map();
    const std::string prefix = at.empty() ? "" : at + ".";
    std::vector<std::string> names;
    for (const std::string& path : settings.paths()) {
        if (!path.starts_with(prefix))
            continue;
        const std::string name =
            path.substr(prefix.size(), path.find_first_of(".[", prefix.size()) - prefix.size());
        if (std::find(names.begin(), names.end(), name) == names.end())
            names.push_back(name);
    }
    for (const std::string& name : names)
        out.put(name, below(settings, prefix + name));
    return out;
}

} // namespace

Tree tree_of(const policy::Settings& settings) {
    return below(settings, "");
}

Tree object_of(const policy::OtherObject& object) {
    Tree spec = tree_of(object.spec);
    if (object.kind == "Installation")
        spec = tree_of(object.around).put_some("calicoNetwork", std::move(spec));
    return manifests::object(object.api_version, object.kind, object.meta, std::move(spec));
}

} // namespace polecat::backends::manifests
