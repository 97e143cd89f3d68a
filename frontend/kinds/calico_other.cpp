/// Kinds that a schema describes: IPPool, FelixConfiguration, Node, BGP kinds, the operator's
/// Installation and so on. Some give settings that lowering reads.
#include <sstream>

#include "frontend/kinds/calico_rule.h"
#include "frontend/kinds/kinds.h"
#include "frontend/kinds/schema/schema.h"

namespace polecat::frontend {

namespace {

using policy::FelixSettings;
using policy::HostAction;
using policy::OtherObject;
using policy::Settings;

/// metadata, and the spec by the kind's schema.
OtherObject read_object(ObjectContext& context) {
    Fields root(&context.root, "", object_label(context), context.diagnostics);
    root.ignore({"apiVersion", "kind", "status"});
    OtherObject out{context.api_version,
                    context.kind,
                    read_metadata(root, false, diag::Severity::Error),
                    {},
                    {}};
    const yaml::Node* spec = root.get("spec");
    root.finish();
    yaml::Node empty; // where the object stands, for what a spec that is not there lacks
    empty.kind = yaml::Node::Kind::Mapping;
    empty.span = out.meta.span;
    if (const KindSchema* schema = find_schema(context.kind)) {
        const yaml::Node& checked = spec != nullptr ? *spec : empty;
        out.spec = read_schema(*schema, checked, root.object(), context.diagnostics);
        check_rules(context.kind, out.meta.name, checked, root.object(), context.diagnostics);
    }
    return out;
}

std::optional<std::vector<FelixSettings::FailsafePort>> failsafe_ports(const Settings& spec,
                                                                       const std::string& list) {
    if (!spec.has(list))
        return std::nullopt;
    std::vector<FelixSettings::FailsafePort> out;
    for (std::size_t i = 0; i < spec.size(list); ++i) {
        const std::string at = list + "[" + std::to_string(i) + "].";
        const auto port = spec.integer(at + "port");
        const auto name = spec.text(at + "protocol");
        const auto protocol = name ? net::protocol_by_name(name->value) : std::nullopt;
        if (!port || !protocol)
            continue; // reported already, or no failsafe: nothing is opened by half an entry
        const auto net = spec.cidr(at + "net");
        out.push_back({*protocol, static_cast<std::uint16_t>(port->value),
                       net ? std::optional(net->value) : std::nullopt});
    }
    return out;
}

std::optional<bool> flag(const Settings& spec, std::string_view path) {
    const auto found = spec.boolean(path);
    return found ? std::optional(found->value) : std::nullopt;
}

std::optional<std::uint16_t> port_of(const Settings& spec, std::string_view path) {
    const auto port = spec.integer(path);
    return port ? std::optional(static_cast<std::uint16_t>(port->value)) : std::nullopt;
}

/// What changes the rules of a node beside policy.
void read_rule_settings(const Settings& spec, FelixSettings& felix) {
    felix.vxlan = flag(spec, "vxlanEnabled");
    felix.ipip = flag(spec, "ipipEnabled");
    felix.wireguard = flag(spec, "wireguardEnabled");
    felix.wireguard6 = flag(spec, "wireguardEnabledV6");
    felix.wireguard_port = port_of(spec, "wireguardListeningPort");
    felix.wireguard6_port = port_of(spec, "wireguardListeningPortV6");
    felix.skips_invalid_check = flag(spec, "disableConntrackInvalidCheck");
    // Rules that replace those of Felix for iptables answer as these did.
    for (const char* key : {"iptablesFilterDenyAction", "nftablesFilterDenyAction"})
        if (spec.has(key))
            felix.rejects = spec.is(key, "Reject");
    if (spec.has("workloadSourceSpoofing"))
        felix.allows_other_sources = spec.is("workloadSourceSpoofing", "Any");
    if (const auto rate = spec.text("logActionRateLimit"))
        felix.log_rate = rate->value;
    if (const auto burst = spec.integer("logActionRateLimitBurst"))
        felix.log_burst = static_cast<std::uint32_t>(burst->value);
}

FelixSettings felix_settings(const Settings& spec) {
    FelixSettings felix;
    felix.failsafe_inbound = failsafe_ports(spec, "failsafeInboundHostPorts");
    felix.failsafe_outbound = failsafe_ports(spec, "failsafeOutboundHostPorts");
    if (spec.has("defaultEndpointToHostAction"))
        felix.to_host = spec.is("defaultEndpointToHostAction", "Accept")   ? HostAction::Accept
                        : spec.is("defaultEndpointToHostAction", "Return") ? HostAction::Return
                                                                           : HostAction::Drop;
    if (const auto prefixes = spec.text("interfacePrefix")) {
        std::vector<std::string>& list = felix.interface_prefixes.emplace();
        std::istringstream words(prefixes->value);
        for (std::string word; std::getline(words, word, ',');)
            if (!word.empty())
                list.push_back(word);
    }
    felix.allow_vxlan_from_workloads = flag(spec, "allowVXLANPacketsFromWorkloads");
    felix.allow_ipip_from_workloads = flag(spec, "allowIPIPPacketsFromWorkloads");
    felix.vxlan_port = port_of(spec, "vxlanPort");
    read_rule_settings(spec, felix);
    return felix;
}

/// What an IPPool and a pool of the operator's Installation have in common. `prefix`: of the
/// pool's fields in the settings.
void add_pool(policy::IpPool pool, const std::string& prefix, policy::Cluster& cluster) {
    const Settings& spec = pool.spec;
    const auto cidr = spec.cidr(prefix + "cidr");
    if (!cidr)
        return;
    pool.cidr = cidr->value;
    if (const auto selector = spec.selector(prefix + "nodeSelector"))
        pool.node_selector = selector->text;
    if (const auto selector = spec.selector(prefix + "namespaceSelector"))
        pool.namespace_selector = selector->text;
    for (const At<std::string>& use : spec.texts(prefix + "allowedUses"))
        pool.allowed_uses.push_back(use.value);
    cluster.pools.push_back(std::move(pool));
}

/// What counts of an Installation's spec beside calicoNetwork.
Settings around_network(Fields& spec) {
    Settings out;
    const auto text = [&](Fields& fields, const char* key, const std::string& path) {
        if (auto found = fields.string(key))
            out.add(path, std::move(found->value), found->span);
    };
    text(spec, "kubernetesProvider", "kubernetesProvider");
    Fields cni = spec.mapping("cni");
    Fields ipam = cni.mapping("ipam");
    text(cni, "type", "cni.type");
    text(ipam, "type", "cni.ipam.type");
    const auto services = spec.strings("serviceCIDRs");
    if (!services.empty())
        out.add_list("serviceCIDRs", services.size());
    for (std::size_t i = 0; i < services.size(); ++i) {
        const std::string path = "serviceCIDRs[" + std::to_string(i) + "]";
        if (const auto cidr = net::parse_cidr(services[i].value, net::CidrForm::Masked))
            out.add(path, *cidr, services[i].span);
        else
            spec.diagnostics()
                .report(diag::Code::SchemaValue, services[i].span,
                        {"spec." + path, "must be a CIDR"})
                .about(spec.object());
    }
    return out;
}

} // namespace

void read_ip_pool(ObjectContext& context) {
    OtherObject object = read_object(context);
    policy::IpPool pool;
    pool.meta = std::move(object.meta);
    pool.spec = std::move(object.spec);
    pool.disabled = pool.spec.is_true("disabled");
    add_pool(std::move(pool), "", context.cluster);
}

void read_felix_configuration(ObjectContext& context) {
    OtherObject object = read_object(context);
    const Settings& spec = object.spec;
    constexpr std::string_view kNode = "node.";
    if (object.meta.name == "default")
        context.cluster.felix = felix_settings(spec);
    else if (object.meta.name.starts_with(kNode))
        context.cluster.felix_of_nodes[object.meta.name.substr(kNode.size())] =
            felix_settings(spec);
    else if (spec.has("nodeSelector"))
        context.diagnostics
            .report(diag::Code::FelixNotFollowed, spec.span("nodeSelector"), {object.meta.name})
            .about("FelixConfiguration " + object.meta.name)
            .with_hint("for exact verdicts, give the same settings to each node by a "
                       "FelixConfiguration `node.NAME`");
    context.cluster.others.push_back(std::move(object));
}

void read_calico_node(ObjectContext& context) {
    OtherObject object = read_object(context);
    policy::Node out;
    out.meta = std::move(object.meta);
    out.spec = std::move(object.spec);
    out.is_calico = true;
    for (const char* path : {"bgp.ipv4Address", "bgp.ipv6Address"})
        if (const auto text = out.spec.text(path))
            // The prefix is that of the host's network; the node is the address before it.
            if (const auto address =
                    net::parse_address(text->value.substr(0, text->value.find('/'))))
                out.addresses.push_back(*address);
    context.cluster.nodes.push_back(std::move(out));
}

void read_installation(ObjectContext& context) {
    Fields root(&context.root, "", object_label(context), context.diagnostics);
    root.ignore({"apiVersion", "kind", "status"});
    OtherObject out{context.api_version,
                    context.kind,
                    read_metadata(root, false, diag::Severity::Error),
                    {},
                    {}};
    Fields spec = root.mapping("spec");
    spec.ignore_rest();
    root.finish();
    out.around = around_network(spec);
    if (const yaml::Node* network = spec.get("calicoNetwork")) {
        const std::string path = "spec.calicoNetwork";
        out.spec = read_schema(*find_schema(context.kind), *network, root.object(),
                               context.diagnostics, path);
        check_rules(context.kind, out.meta.name, *network, root.object(), context.diagnostics);
        for (std::size_t i = 0; i < out.spec.size("ipPools"); ++i) {
            const std::string at = "ipPools[" + std::to_string(i) + "]";
            policy::IpPool pool;
            pool.spec = out.spec;
            pool.path = path + "." + at;
            // The operator names a pool without a name by its CIDR.
            const auto name = pool.spec.text(at + ".name");
            const auto cidr = pool.spec.cidr(at + ".cidr");
            pool.meta.name = name ? name->value : cidr ? net::to_string(cidr->value) : "";
            pool.meta.span = pool.spec.span(at);
            add_pool(std::move(pool), at + ".", context.cluster);
        }
    }
    context.cluster.others.push_back(std::move(out));
}

void read_other_calico(ObjectContext& context) {
    context.cluster.others.push_back(read_object(context));
}

} // namespace polecat::frontend
