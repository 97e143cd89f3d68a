/// Namespace, ServiceAccount, Node, Service, Endpoints, EndpointSlice. Of Services and Nodes only
/// the fields that policy and routing need are read; the rest passes unread.
#include <algorithm>

#include "frontend/kinds/kinds.h"
#include "frontend/kinds/kubernetes_fields.h"
#include "frontend/kinds/label_selector.h"
#include "frontend/kinds/names.h"
#include "frontend/kinds/node_annotations.h"
#include "ir/policy/scope.h"
#include "support/diag/fix.h"

namespace polecat::frontend {

namespace {

namespace known = kubernetes_fields;

Fields open_root(ObjectContext& context) {
    Fields root(&context.root, "", object_label(context), context.diagnostics);
    root.ignore({"apiVersion", "kind"});
    return root;
}

void add_address(const At<std::string>& text, const std::string& path, Fields& fields,
                 std::vector<net::Address>& into) {
    if (const auto address = net::parse_address(text.value))
        into.push_back(*address);
    else
        refuse_value(fields, text.span, path, "must be an IP address");
}

net::Protocol protocol_or_tcp(Fields& fields) {
    const auto text = fields.string("protocol");
    if (!text)
        return net::kTcp;
    return kubernetes_protocol(*text, fields.path_of("protocol"), fields).value_or(net::kTcp);
}

/// One of some words; empty: not given, or refused.
std::string word(Fields& fields, std::string_view key, std::initializer_list<const char*> allowed) {
    const auto text = fields.string(key);
    if (!text || text->value.empty())
        return {};
    if (std::find(allowed.begin(), allowed.end(), text->value) != allowed.end())
        return text->value;
    refuse_word(fields, *text, fields.path_of(key), allowed);
    return {};
}

std::uint16_t port_or_zero(Fields& fields, std::string_view key) {
    const auto number = fields.integer(key);
    if (!number || number->value == 0)
        return 0;
    return port_number(*number, fields.path_of(key), fields).value_or(0);
}

void read_service_port(Fields fields, std::vector<policy::ServicePort>& into) {
    policy::ServicePort out;
    if (const auto name = fields.string("name"))
        out.name = name->value;
    out.protocol = protocol_or_tcp(fields);
    out.port = port_or_zero(fields, "port");
    out.node_port = port_or_zero(fields, "nodePort");
    if (const yaml::Node* target = fields.get("targetPort"); target != nullptr) {
        if (yaml::as_integer(*target))
            out.target_port = port_or_zero(fields, "targetPort");
        else if (const auto name = fields.string("targetPort"))
            out.target_port = name->value;
    }
    fields.finish_open(known::kServicePort);
    into.push_back(std::move(out));
}

/// No name and no port of a protocol twice: Kubernetes' pkg/apis/core/validation, ValidateService.
/// It wants names too where there are several ports; examples without are common, and can't be
/// mistaken.
void check_service_ports(Fields& spec, const std::vector<policy::ServicePort>& ports) {
    const auto nodes = spec.list("ports");
    for (std::size_t i = 0; i < ports.size(); ++i) {
        const std::string path = spec.path_of("ports") + "[" + std::to_string(i) + "]";
        const policy::ServicePort& port = ports[i];
        for (std::size_t j = 0; j < i; ++j)
            if (port.port != 0 && ports[j].port == port.port && ports[j].protocol == port.protocol)
                refuse_value(spec, nodes[i]->span, path, "has the port of an earlier one");
            else if (!port.name.empty() && ports[j].name == port.name)
                refuse_value(spec, nodes[i]->span, path, "has the name of an earlier one");
    }
}

/// A field, else where it could be added.
Span place_of(Fields& fields, std::string_view key) {
    return fields.has(key) ? fields.key_span(key) : Span{};
}

void read_families(Fields& spec, policy::Service& into) {
    const auto add = [&](net::Family family) {
        if (std::find(into.families.begin(), into.families.end(), family) == into.families.end())
            into.families.push_back(family);
    };
    for (const At<std::string>& family : spec.strings("ipFamilies"))
        if (family.value == "IPv4" || family.value == "IPv6")
            add(family.value == "IPv4" ? net::Family::V4 : net::Family::V6);
        else
            refuse_word(spec, family, spec.path_of("ipFamilies"), {"IPv4", "IPv6"});
    if (into.families.empty())
        for (const net::Address& address : into.cluster_ips)
            add(address.family);
    const auto policy = spec.string("ipFamilyPolicy");
    if (policy && **policy != "SingleStack") // as far as the cluster has both
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            add(family);
}

void read_cluster_ips(Fields& spec, policy::Service& into) {
    into.cluster_ips_span = place_of(spec, spec.has("clusterIPs") ? "clusterIPs" : "clusterIP");
    auto ips = spec.strings("clusterIPs");
    if (const auto one = spec.string("clusterIP"); ips.empty() && one)
        ips.push_back(*one);
    for (const At<std::string>& ip : ips)
        if (ip.value == "None")
            into.headless = true;
        else if (!ip.value.empty())
            add_address(ip, spec.path_of("clusterIP"), spec, into.cluster_ips);
}

void read_external_ips(Fields& spec, Fields& root, policy::Service& into) {
    for (const At<std::string>& text : spec.strings("loadBalancerSourceRanges"))
        if (const auto cidr = read_cidr(text, spec.path_of("loadBalancerSourceRanges"), spec))
            into.source_ranges.push_back(cidr->value);
    into.external_ips_span = place_of(spec, "externalIPs");
    for (const At<std::string>& ip : spec.strings("externalIPs"))
        add_address(ip, spec.path_of("externalIPs"), spec, into.external_ips);
    if (const auto ip = spec.string("loadBalancerIP"); ip && !ip->value.empty()) {
        std::vector<net::Address> one;
        add_address(*ip, spec.path_of("loadBalancerIP"), spec, one);
        if (!one.empty())
            into.load_balancer_ip = one.front();
    }
    Fields status = root.mapping("status");
    Fields balancer = status.mapping("loadBalancer");
    into.ingress_ips_span = place_of(balancer, "ingress");
    std::size_t index = 0;
    for (const yaml::Node* each : balancer.list("ingress")) {
        Fields entry = item(each, balancer, "ingress", index++);
        if (const auto ip = entry.string("ip"); ip && !ip->value.empty())
            add_address(*ip, entry.path_of("ip"), entry, into.ingress_ips);
        entry.ignore({"hostname", "ipMode", "ports"});
        entry.finish_open(known::kNone);
    }
    balancer.finish_open(known::kNone);
    status.ignore({"conditions"});
    status.finish_open(known::kNone);
}

policy::ServiceEndpoints::Endpoint read_endpoint(Fields& entry) {
    policy::ServiceEndpoints::Endpoint out;
    out.node = read_node_name(entry, "nodeName");
    Fields conditions = entry.mapping("conditions");
    // What is not said to be unready is ready.
    if (const auto ready = conditions.boolean("ready"))
        out.ready = ready->value;
    conditions.ignore({"serving", "terminating"});
    conditions.finish_open(known::kNone);
    return out;
}

void read_endpoint_ports(Fields& fields, policy::ServiceEndpoints& into) {
    std::size_t index = 0;
    for (const yaml::Node* each : fields.list("ports")) {
        Fields port = item(each, fields, "ports", index++);
        policy::ServiceEndpoints::EndpointsPort out;
        if (const auto name = port.string("name"))
            out.name = name->value;
        out.protocol = protocol_or_tcp(port);
        if (const std::uint16_t number = port_or_zero(port, "port"))
            out.port = number;
        port.finish_open(known::kEndpointPort);
        into.ports.push_back(std::move(out));
    }
}

/// Where the label is written in metadata.labels; nullptr: it is not.
const yaml::Member* label_of(const ObjectContext& context, std::string_view key) {
    const yaml::Node* meta = context.root.find("metadata");
    const yaml::Node* labels =
        meta != nullptr && meta->is_mapping() ? meta->find("labels") : nullptr;
    if (labels != nullptr && labels->is_mapping())
        for (const yaml::Member& member : labels->members)
            if (member.key == key)
                return &member;
    return nullptr;
}

/// Labels that Felix loses, all at once.
void check_inherited(ObjectContext& context, const policy::Metadata& meta,
                     std::string_view prefix) {
    const auto problem = policy::too_long_to_inherit(meta, prefix);
    if (!problem)
        return;
    const yaml::Member* label = label_of(context, *problem);
    const std::string object = object_label(context);
    context.diagnostics
        .report(diag::Code::InheritedLabelsLost, label != nullptr ? label->key_span : meta.span,
                {object, label != nullptr ? "label " + *problem : "the name", std::string(prefix)})
        .about(object)
        .with_note("selectors see none of its labels, nor its name")
        .with_hint(label != nullptr ? "shorten or remove the label" : "shorten the name");
}

/// The API server writes the name, whatever the manifest says.
void name_namespace(ObjectContext& context, policy::Namespace& space) {
    const std::string key(policy::kNameLabel);
    const auto given = space.meta.labels.find(key);
    const yaml::Member* label = label_of(context, key);
    if (given && *given != space.meta.name && label != nullptr)
        context.diagnostics
            .report(diag::Code::NamespaceNameLabel, label->value.span,
                    {std::string(*given), space.meta.name})
            .about(object_label(context))
            .with_fix(diag::replace_text(label->value.span, std::string(*given), space.meta.name,
                                         "write the namespace's name"));
    space.meta.labels.set(key, space.meta.name);
}

} // namespace

void read_namespace(ObjectContext& context) {
    Fields root = open_root(context);
    policy::Namespace out{read_metadata(root, false)};
    root.ignore({"spec", "status"});
    root.finish_open(known::kNone);
    check_inherited(context, out.meta, policy::kNamespacePrefix);
    name_namespace(context, out);
    context.cluster.namespaces.push_back(std::move(out));
}

void read_service_account(ObjectContext& context) {
    Fields root = open_root(context);
    policy::ServiceAccount out{read_metadata(root, true)};
    root.ignore({"secrets", "imagePullSecrets", "automountServiceAccountToken"});
    root.finish_open(known::kNone);
    check_inherited(context, out.meta, policy::kServiceAccountPrefix);
    context.cluster.service_accounts.push_back(std::move(out));
}

void read_node(ObjectContext& context) {
    Fields root = open_root(context);
    policy::Node out;
    out.meta = read_metadata(root, false);
    check_node_annotations(context);
    Fields spec = root.mapping("spec"), status = root.mapping("status");
    for (const At<std::string>& text : spec.strings("podCIDRs"))
        if (const auto cidr = read_cidr(text, spec.path_of("podCIDRs"), spec))
            out.pod_cidrs.push_back(cidr->value);
    // The first of them, and in many manifests the only one.
    if (const auto text = spec.string("podCIDR"); text && out.pod_cidrs.empty())
        if (const auto cidr = read_cidr(*text, spec.path_of("podCIDR"), spec))
            out.pod_cidrs.push_back(cidr->value);
    std::size_t index = 0;
    for (const yaml::Node* each : status.list("addresses")) {
        Fields entry = item(each, status, "addresses", index++);
        const auto type = entry.string("type"), address = entry.string("address");
        if (type && address && (type->value == "InternalIP" || type->value == "ExternalIP"))
            add_address(*address, entry.path_of("address"), entry, out.addresses);
        entry.finish_open(known::kNone);
    }
    Fields info = status.mapping("nodeInfo");
    if (const auto kernel = info.string("kernelVersion"))
        out.kernel = *kernel;
    info.finish_open(known::kNodeInfo);
    spec.finish_open(known::kNodeSpec);
    status.finish_open(known::kNodeStatus);
    root.finish_open(known::kNone);
    context.cluster.nodes.push_back(std::move(out));
}

void read_service(ObjectContext& context) {
    Fields root = open_root(context);
    policy::Service out;
    out.meta = read_metadata(root, true);
    Fields spec = root.mapping("spec");
    out.type = word(spec, "type", {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"});
    if (out.type.empty())
        out.type = "ClusterIP";
    out.external_traffic_policy = word(spec, "externalTrafficPolicy", {"Cluster", "Local"});
    out.internal_traffic_policy = word(spec, "internalTrafficPolicy", {"Cluster", "Local"});
    read_cluster_ips(spec, out);
    read_families(spec, out);
    read_external_ips(spec, root, out);
    for (auto& [key, value] : spec.string_map("selector"))
        out.selector.emplace_back(key.value, value.value);
    std::size_t index = 0;
    for (const yaml::Node* each : spec.list("ports"))
        read_service_port(item(each, spec, "ports", index++), out.ports);
    check_service_ports(spec, out.ports);
    spec.finish_open(known::kServiceSpec);
    root.finish_open(known::kNone);
    context.cluster.services.push_back(std::move(out));
}

void read_endpoints(ObjectContext& context) {
    Fields root = open_root(context);
    const policy::Metadata meta = read_metadata(root, true);
    std::size_t index = 0;
    for (const yaml::Node* each : root.list("subsets")) {
        Fields subset = item(each, root, "subsets", index++);
        policy::ServiceEndpoints out;
        out.meta = meta;
        out.service = meta.name;
        // Whether an address is ready makes no difference to Calico's policy.
        for (const char* key : {"addresses", "notReadyAddresses"}) {
            std::size_t at = 0;
            for (const yaml::Node* address : subset.list(key)) {
                Fields entry = item(address, subset, key, at++);
                if (const auto ip = entry.string("ip"))
                    add_address(*ip, entry.path_of("ip"), entry, out.addresses);
                entry.finish_open(known::kEndpointAddress);
            }
        }
        read_endpoint_ports(subset, out);
        subset.finish_open(known::kNone);
        context.cluster.service_endpoints.push_back(std::move(out));
    }
    root.finish_open(known::kNone);
}

void read_endpoint_slice(ObjectContext& context) {
    Fields root = open_root(context);
    policy::ServiceEndpoints out;
    out.is_slice = true;
    out.meta = read_metadata(root, true);
    if (const auto service = out.meta.labels.find("kubernetes.io/service-name"))
        out.service = *service;
    const auto type = root.string("addressType");
    if (type && type->value != "FQDN")
        out.family = type->value == "IPv6" ? net::Family::V6 : net::Family::V4;
    std::size_t index = 0;
    for (const yaml::Node* each : root.list("endpoints")) {
        Fields entry = item(each, root, "endpoints", index++);
        for (const At<std::string>& address : entry.strings("addresses"))
            if (!type || type->value != "FQDN")
                add_address(address, entry.path_of("addresses"), entry, out.addresses);
        out.endpoints.push_back(read_endpoint(entry));
        entry.finish_open(known::kEndpoint);
    }
    read_endpoint_ports(root, out);
    root.finish_open(known::kNone);
    context.cluster.service_endpoints.push_back(std::move(out));
}

} // namespace polecat::frontend
