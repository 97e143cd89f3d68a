/// Calico kinds that are checked against their schema: IPPool, FelixConfiguration, Node, BGP kinds
/// and so on. Some give typed settings that lowering reads.
#include "frontend/kinds/calico_rule.h"
#include "frontend/kinds/kinds.h"
#include "frontend/kinds/label_selector.h"
#include "frontend/kinds/schema/schema.h"

namespace polecat::frontend {

namespace {

using policy::FelixSettings;

/// metadata and the schema of spec; the object as one that nothing lowers yet.
policy::Metadata check_object(ObjectContext& context, bool keep) {
    Fields root(&context.root, "", object_label(context), context.diagnostics);
    root.ignore({"apiVersion", "kind", "status"});
    policy::Metadata meta = read_metadata(root, false);
    const yaml::Node* spec = root.get("spec");
    root.finish();
    static const yaml::Node empty = [] {
        yaml::Node node;
        node.kind = yaml::Node::Kind::Mapping;
        return node;
    }();
    if (const KindSchema* schema = find_schema(context.kind)) {
        const yaml::Node& checked = spec != nullptr ? *spec : empty;
        check_schema(*schema, checked, root.object(), context.diagnostics);
        check_rules(context.kind, meta.name, checked, root.object(), context.diagnostics);
    }
    if (keep)
        context.cluster.others.push_back({context.api_version, context.kind, meta});
    return meta;
}

/// The spec for reading typed fields; everything in it was checked by the schema.
Fields open_spec(ObjectContext& context, diag::Diagnostics& unused) {
    Fields spec(context.root.find("spec"), "spec", object_label(context), unused);
    spec.ignore_rest();
    return spec;
}

std::optional<std::vector<FelixSettings::FailsafePort>> read_failsafe(Fields& spec,
                                                                      const char* key) {
    if (!spec.has(key))
        return std::nullopt;
    std::vector<FelixSettings::FailsafePort> out;
    for (const yaml::Node* item : spec.list(key)) {
        Fields fields(item, spec.path_of(key), spec.object(), spec.diagnostics());
        const auto protocol = read_calico_protocol(fields, "protocol");
        const auto port = fields.integer("port");
        const auto net = fields.string("net");
        if (port && port->value >= 0 && port->value <= 65535)
            out.push_back(
                {protocol ? protocol->value : net::kTcp, static_cast<std::uint16_t>(port->value),
                 net ? net::parse_cidr(net->value, net::CidrForm::OrAddress) : std::nullopt});
    }
    return out;
}

/// The fields that an IPPool and a pool of the operator's Installation have in common.
void add_pool(Fields& fields, policy::IpPool pool, policy::Cluster& cluster) {
    const auto cidr = fields.string("cidr");
    const auto parsed = cidr ? net::parse_cidr(cidr->value, net::CidrForm::Masked) : std::nullopt;
    if (!parsed)
        return;
    pool.cidr = *parsed;
    if (const auto text = fields.string("nodeSelector"))
        pool.node_selector = text->value;
    if (const auto text = fields.string("namespaceSelector"))
        pool.namespace_selector = text->value;
    for (const At<std::string>& use : fields.strings("allowedUses"))
        pool.allowed_uses.push_back(use.value);
    cluster.pools.push_back(std::move(pool));
}

} // namespace

void read_ip_pool(ObjectContext& context) {
    policy::IpPool out;
    out.meta = check_object(context, false);
    diag::Diagnostics unused;
    Fields spec = open_spec(context, unused);
    const auto disabled = spec.boolean("disabled");
    out.disabled = disabled && disabled->value;
    add_pool(spec, std::move(out), context.cluster);
}

void read_felix_configuration(ObjectContext& context) {
    const policy::Metadata meta = check_object(context, true);
    // Settings of one node or of some nodes don't speak for the cluster.
    if (meta.name != "default")
        return;
    diag::Diagnostics unused;
    Fields spec = open_spec(context, unused);
    FelixSettings& felix = context.cluster.felix;
    felix.failsafe_inbound = read_failsafe(spec, "failsafeInboundHostPorts");
    felix.failsafe_outbound = read_failsafe(spec, "failsafeOutboundHostPorts");
    if (const auto action = spec.string("defaultEndpointToHostAction"))
        felix.default_endpoint_to_host_action = action->value;
}

void read_calico_node(ObjectContext& context) {
    policy::Node out;
    out.meta = check_object(context, false);
    diag::Diagnostics unused;
    Fields spec = open_spec(context, unused);
    Fields bgp = spec.mapping("bgp");
    for (const char* key : {"ipv4Address", "ipv6Address"})
        if (const auto text = bgp.string(key))
            // The prefix is that of the host's network; the node is the address before it.
            if (const auto address =
                    net::parse_address(text->value.substr(0, text->value.find('/'))))
                out.addresses.push_back(*address);
    context.cluster.nodes.push_back(std::move(out));
}

void read_installation(ObjectContext& context) {
    Fields root(&context.root, "", object_label(context), context.diagnostics);
    root.ignore({"apiVersion", "kind", "status"});
    const policy::Metadata meta = read_metadata(root, false);
    Fields spec = root.mapping("spec");
    spec.ignore_rest();
    const yaml::Node* network = spec.get("calicoNetwork");
    root.finish();
    context.cluster.others.push_back({context.api_version, context.kind, meta});
    if (network == nullptr)
        return;
    const std::string path = "spec.calicoNetwork";
    check_schema(*find_schema(context.kind), *network, root.object(), context.diagnostics, path);
    diag::Diagnostics unused;
    Fields fields(network, path, root.object(), unused);
    fields.ignore_rest();
    for (const yaml::Node* item : fields.list("ipPools")) {
        Fields pool(item, path + ".ipPools", root.object(), unused);
        pool.ignore_rest();
        policy::IpPool out;
        if (const auto name = pool.string("name"))
            out.meta.name = name->value;
        else if (const auto cidr = pool.string("cidr"))
            out.meta.name = cidr->value; // the operator names it by its CIDR too
        out.meta.span = item->span;
        add_pool(pool, std::move(out), context.cluster);
    }
}

void read_other_calico(ObjectContext& context) {
    check_object(context, true);
}

} // namespace polecat::frontend
