/// HostEndpoint, WorkloadEndpoint, Profile, NetworkSet, GlobalNetworkSet.
#include <algorithm>

#include "frontend/kinds/calico_rule.h"
#include "frontend/kinds/kinds.h"
#include "frontend/kinds/label_selector.h"
#include "frontend/kinds/names.h"
#include "frontend/kinds/pattern.h"
#include "frontend/kinds/unread.h"

namespace polecat::frontend {

namespace {

constexpr const char* kNamespaceLabel = "projectcalico.org/namespace";

bool is_interface_name(const std::string& name) {
    return has_form(name, "[a-zA-Z0-9_.-]{1,15}");
}

/// A port's name. Felix itself takes more than Calico's API does.
void check_port_name(Fields& fields, const At<std::string>& name, Checks checks) {
    const std::string path = fields.path_of("name");
    if (is_port_name(name.value))
        return;
    if (checks == Checks::Storage && has_form(name.value, "[a-zA-Z0-9_.-]{1,128}"))
        refuse_in_api(fields, checks, name.span, path, "is no name of a port");
    else
        refuse_port_name(fields, name, path);
}

/// Felix takes the endpoint for missing when a port's protocol has no name
/// (typha/pkg/validator/v1, validateBackendEndpointPort).
void check_protocol_is_named(Fields& fields) {
    const yaml::Node* node = fields.get("protocol");
    if (node == nullptr || !node->is_scalar() || net::protocol_by_name(node->text))
        return;
    fields.diagnostics()
        .report(diag::Code::EndpointDropped, fields.span(), {fields.object(), node->text})
        .about(fields.object())
        .with_hint("write TCP, UDP or SCTP");
}

/// One port that an endpoint declares.
void read_port(Fields fields, bool workload, Checks checks,
               std::vector<policy::EndpointPort>& into) {
    policy::EndpointPort out;
    const auto name = fields.string("name");
    const auto protocol = read_calico_protocol(fields, "protocol", checks);
    const auto port = fields.integer("port");
    const auto host_port = workload ? fields.integer("hostPort") : std::nullopt;
    const auto host_ip = workload ? fields.string("hostIP") : std::nullopt;
    fields.finish();
    if (host_ip && !host_ip->value.empty() && !net::parse_address(host_ip->value))
        refuse_value(fields, host_ip->span, fields.path_of("hostIP"), "must be an IP address");
    if (!protocol)
        refuse_value(fields, fields.span(), fields.path_of("protocol"), "must be there");
    else if (!net::has_ports(protocol->value))
        refuse_value(fields, protocol->span, fields.path_of("protocol"),
                     "must be TCP, UDP or SCTP");
    else
        check_protocol_is_named(fields);
    const bool host = host_port && host_port->value != 0;
    const bool named = name && !name->value.empty();
    if (named)
        check_port_name(fields, *name, checks);
    else if (!host)
        refuse_value(fields, fields.span(), fields.path_of("name"), "is missing");
    if (!port)
        refuse_value(fields, fields.span(), fields.path_of("port"), "is missing");
    const auto number = port ? port_number(*port, fields.path_of("port"), fields) : std::nullopt;
    if (named && protocol && number)
        into.push_back({name->value, protocol->value, *number});
}

void read_ports(Fields& spec, bool workload, Checks checks,
                std::vector<policy::EndpointPort>& into) {
    std::size_t index = 0;
    for (const yaml::Node* item : spec.list("ports"))
        read_port(Fields(item, spec.path_of("ports") + "[" + std::to_string(index++) + "]",
                         spec.object(), spec.diagnostics()),
                  workload, checks, into);
}

/// Addresses of a workload endpoint: single ones.
void read_ip_networks(Fields& spec, policy::Workload& into) {
    for (const At<std::string>& text : spec.strings("ipNetworks")) {
        const auto cidr = net::parse_cidr(text.value, net::CidrForm::OrAddress);
        if (!cidr || cidr->prefix != net::width(cidr->family()))
            refuse_value(spec, text.span, spec.path_of("ipNetworks"), "must be one address");
        else
            into.addresses.push_back({*cidr, text.span});
    }
}

void check_gateway(Fields& spec, const char* key, net::Family family) {
    const auto text = spec.string(key);
    if (!text || text->value.empty())
        return;
    const auto address = net::parse_address(text->value);
    if (!address || address->family != family)
        refuse_value(spec, text->span, spec.path_of(key),
                     family == net::Family::V4 ? "must be an IPv4 address"
                                               : "must be an IPv6 address");
}

/// Each NAT pair maps an address of the endpoint to one of the same family.
void check_nats(Fields& spec, const policy::Workload& workload) {
    std::size_t index = 0;
    for (const yaml::Node* item : spec.list("ipNATs")) {
        Fields nat(item, spec.path_of("ipNATs") + "[" + std::to_string(index++) + "]",
                   spec.object(), spec.diagnostics());
        const auto inner = nat.string("internalIP"), outer = nat.string("externalIP");
        nat.finish();
        const auto from = inner ? net::parse_address(inner->value) : std::nullopt;
        const auto to = outer ? net::parse_address(outer->value) : std::nullopt;
        if (!from || !to) {
            refuse_value(nat, nat.span(), nat.path(), "needs internalIP and externalIP addresses");
            continue;
        }
        if (from->family != to->family)
            refuse_value(nat, outer->span, nat.path(), "must have addresses of one family");
        const auto& own = workload.addresses;
        if (std::none_of(own.begin(), own.end(),
                         [&](const At<net::Cidr>& each) { return each.value.base == *from; }))
            refuse_value(nat, inner->span, nat.path_of("internalIP"),
                         "is no address of the endpoint");
    }
}

std::vector<At<std::string>> read_profiles(Fields& spec) {
    auto out = spec.strings("profiles");
    for (const At<std::string>& each : out)
        if (!is_dns_subdomain(each.value))
            refuse_value(spec, each.span, spec.path_of("profiles"),
                         "must be the name of a profile");
    return out;
}

void check_container_id(Fields& spec) {
    const auto id = spec.string("containerID");
    if (id && !id->value.empty() && !has_form(id->value, "[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?"))
        refuse_value(spec, id->span, spec.path_of("containerID"),
                     "must be letters, digits and `-`");
}

void check_mac(Fields& spec) {
    const auto mac = spec.string("mac");
    if (mac && !mac->value.empty() &&
        !has_form(mac->value, "([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}"))
        refuse_value(spec, mac->span, spec.path_of("mac"), "must be a MAC address");
}

} // namespace

void read_network_set(ObjectContext& context) {
    Fields root = open_calico(context);
    policy::NetworkSet out;
    out.meta = read_metadata(root, context.kind == "NetworkSet", diag::Severity::Error);
    if (out.meta.labels.find(kNamespaceLabel))
        context.diagnostics
            .report(context.legacy_crd ? diag::Code::ApiCheckMissed : diag::Code::LabelSyntax,
                    out.meta.span, {kNamespaceLabel, "is set by Calico and cannot be given"})
            .about(root.object());
    Fields spec = root.mapping("spec");
    out.nets = read_loose_nets(spec, "nets");
    out.allowed_egress_domains = spec.strings("allowedEgressDomains");
    check_domains(spec, out.allowed_egress_domains, "allowedEgressDomains");
    spec.finish();
    root.finish();
    context.cluster.network_sets.push_back(std::move(out));
}

void read_host_endpoint(ObjectContext& context) {
    Fields root = open_calico(context);
    policy::HostEndpoint out;
    out.meta = read_metadata(root, false, diag::Severity::Error);
    Fields spec = root.mapping("spec");
    const auto node = spec.string("node");
    if (!node || node->value.empty())
        refuse_value(spec, spec.key_span("node"), spec.path_of("node"), "must be there");
    else if (!is_dns_subdomain(node->value))
        refuse_value(spec, spec.key_span("node"), spec.path_of("node"),
                     "must be the name of a node");
    else
        out.node = node->value;
    if (const auto name = spec.string("interfaceName"); name && !name->value.empty()) {
        out.interface_name = name->value;
        if (name->value != "*" && !is_interface_name(name->value))
            refuse_value(spec, name->span, spec.path_of("interfaceName"),
                         "must be `*` or an interface name of at most 15 characters");
    }
    for (const At<std::string>& text : spec.strings("expectedIPs")) {
        if (const auto address = net::parse_address(text.value))
            out.expected_ips.push_back({*address, text.span});
        else
            refuse_value(spec, text.span, spec.path_of("expectedIPs"), "must be an IP address");
    }
    if (out.interface_name.empty() && spec.list("expectedIPs").empty())
        refuse_value(spec, spec.span(), spec.path(), "needs interfaceName or expectedIPs");
    out.profiles = read_profiles(spec);
    read_ports(spec, false, checks_of(context), out.ports);
    spec.finish();
    root.finish();
    context.cluster.host_endpoints.push_back(std::move(out));
}

void read_workload_endpoint(ObjectContext& context) {
    Fields root = open_calico(context);
    policy::Workload out;
    out.meta = read_metadata(root, true, diag::Severity::Error);
    out.kind = "WorkloadEndpoint";
    out.pod_labels = out.meta.labels;
    Fields spec = root.mapping("spec");
    out.node = read_node_name(spec, "node");
    const auto interface = spec.string("interfaceName");
    out.interface_name = interface ? interface->value : "";
    if (!is_interface_name(out.interface_name))
        refuse_value(spec, spec.key_span("interfaceName"), spec.path_of("interfaceName"),
                     "must be an interface name of at most 15 characters");
    if (const auto account = spec.string("serviceAccountName"))
        out.service_account = account->value;
    read_ip_networks(spec, out);
    check_nats(spec, out);
    check_gateway(spec, "ipv4Gateway", net::Family::V4);
    check_gateway(spec, "ipv6Gateway", net::Family::V6);
    check_mac(spec);
    check_container_id(spec);
    for (const At<net::Cidr>& each : read_loose_nets(spec, "allowSpoofedSourcePrefixes"))
        out.other_sources.push_back(*each);
    out.profiles = read_profiles(spec);
    read_ports(spec, true, checks_of(context), out.ports);
    spec.ignore({"orchestrator", "workload", "pod", "endpoint", "qosControls", "type"});
    spec.finish();
    root.finish();
    context.cluster.workloads.push_back(std::move(out));
}

void read_profile(ObjectContext& context) {
    diag::Watch watch(context.diagnostics);
    Fields root = open_calico(context);
    policy::Profile out;
    out.meta = read_metadata(root, false, diag::Severity::Error);
    Fields spec = root.mapping("spec");
    const Checks checks = checks_of(context);
    out.ingress = watch.leaving_out([&] {
        return read_calico_rules(spec, "ingress", {checks, false, true, true});
    });
    out.egress = watch.leaving_out([&] {
        return read_calico_rules(spec, "egress", {checks, true, true, true});
    });
    for (auto& [key, value] : spec.string_map("labelsToApply")) {
        if (const auto problem = check_label_key(key.value))
            refuse_value(spec, key.span, spec.path_of("labelsToApply") + "." + key.value, *problem);
        if (const auto problem = check_label_value(value.value))
            refuse_value(spec, value.span, spec.path_of("labelsToApply") + "." + key.value,
                         *problem);
        out.labels_to_apply.set(key.value, value.value);
    }
    spec.finish();
    root.finish();
    forget_rules(out, watch.error());
    context.cluster.profiles.push_back(std::move(out));
}

} // namespace polecat::frontend
