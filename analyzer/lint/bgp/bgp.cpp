#include "analyzer/lint/bgp/bgp.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "ir/policy/cluster_routes.h"

namespace polecat::lint {

namespace {

constexpr net::AsNumber kDefaultAs = 64512;

std::optional<AsAt> as_in(const policy::Settings& spec, std::string_view path) {
    // 0 is Go's empty value: not given.
    if (const auto number = spec.integer(path); number && number->value > 0)
        return AsAt{static_cast<net::AsNumber>(number->value), number->span};
    if (const auto text = spec.text(path))
        if (const auto number = net::parse_as_number(text->value); number && *number != 0)
            return AsAt{*number, text->span};
    return std::nullopt;
}

void add_address(BgpNode& node, const net::Address& address) {
    if (!node.has(address))
        node.addresses.push_back(address);
}

/// Calico keeps its part of a Kubernetes Node in annotations.
void add_annotations(BgpNode& node, const policy::Metadata& meta) {
    const auto find = [&](const char* key) -> const std::string* {
        const auto found = meta.annotations.find(std::string("projectcalico.org/") + key);
        return found == meta.annotations.end() ? nullptr : &found->second;
    };
    if (const std::string* text = find("ASNumber"))
        if (const auto number = net::parse_as_number(*text))
            node.annotated_as = AsAt{*number, meta.span};
    if (const std::string* text = find("RouteReflectorClusterID"); text && !node.cluster_id)
        node.cluster_id = At<std::string>{*text, meta.span};
    for (const char* key : {"IPv4Address", "IPv6Address"})
        if (const std::string* text = find(key))
            if (const auto address = net::parse_address(text->substr(0, text->find('/'))))
                add_address(node, *address);
}

struct PoolEncapsulation {
    bool ipip, vxlan;
};

PoolEncapsulation encapsulation_of(const policy::IpPool& pool) {
    const auto on = [&](std::string_view field) {
        return pool.spec.has(field) && !pool.spec.is(field, "Never");
    };
    if (pool.path == "spec")
        return {on("ipipMode"), on("vxlanMode")};
    const std::string at = pool.path.substr(pool.path.rfind("ipPools")) + ".encapsulation";
    const auto is = [&](std::string_view value) { return pool.spec.is(at, value); };
    // The operator's default is IPIP.
    return {!pool.spec.has(at) || is("IPIP") || is("IPIPCrossSubnet"),
            is("VXLAN") || is("VXLANCrossSubnet")};
}

/// "10.0.0.1", "10.0.0.1:1790", "[fd00::1]:1790".
void read_address(const At<std::string>& text, BgpPeer& into) {
    std::string_view host = text.value;
    std::string_view port;
    if (host.starts_with('[') && host.find(']') != std::string_view::npos) {
        port = host.substr(host.find(']') + 1);
        host = host.substr(1, host.find(']') - 1);
    } else if (std::count(host.begin(), host.end(), ':') == 1) {
        port = host.substr(host.find(':'));
        host = host.substr(0, host.find(':'));
    }
    if (const auto address = net::parse_address(host))
        into.address = At<net::Address>{*address, text.span};
    if (!port.empty())
        std::from_chars(port.data() + 1, port.data() + port.size(), into.port);
}

} // namespace

bool BgpNode::has(const net::Address& address) const {
    return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

bool BgpNode::has_family(net::Family family) const {
    return std::any_of(addresses.begin(), addresses.end(),
                       [&](const net::Address& each) { return each.family == family; });
}

bool BgpPeer::is_global() const {
    return !spec().has("node") && !spec().has("nodeSelector");
}

bool BgpPeer::configures(NodeIndex node) const {
    return std::binary_search(nodes.begin(), nodes.end(), node);
}

std::string BgpPeer::address_text() const {
    return net::to_string(address->value) + (port != 0 ? fmt::format(" port {}", port) : "");
}

Bgp::Bgp(const policy::Cluster& of, std::optional<int> version) : cluster(of), version_(version) {
    for (const policy::Node& each : cluster.nodes)
        add_node(each);
    for (BgpNode& each : nodes)
        if (!each.as)
            each.as = each.annotated_as;
    for (const policy::OtherObject& each : cluster.others) {
        if (each.kind == "BGPPeer")
            add_peer(each);
        else if (each.kind == "BGPFilter")
            filters.push_back(&each);
        else if (each.kind == "BGPConfiguration")
            configurations.push_back(&each);
        if (each.kind == "BGPConfiguration" && each.meta.name == "default")
            configuration = &each;
    }
}

void Bgp::add_node(const policy::Node& node) {
    const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const BgpNode& each) {
        return each.name == node.meta.name;
    });
    BgpNode& into = found != nodes.end() ? *found : nodes.emplace_back();
    into.name = node.meta.name;
    if (!into.span.known() || node.is_calico)
        into.span = node.meta.span;
    for (const auto& [key, value] : node.meta.labels)
        into.labels.set(key, value);
    for (const net::Address& each : node.addresses)
        add_address(into, each);
    (node.is_calico ? into.in_calico : into.in_kubernetes) = true;
    if (node.is_calico) {
        into.as = as_in(node.spec, "bgp.asNumber");
        if (const auto id = node.spec.address("bgp.routeReflectorClusterID"))
            into.cluster_id = At<std::string>{net::to_string(id->value), id->span};
    }
    add_annotations(into, node.meta);
}

void Bgp::add_peer(const policy::OtherObject& object) {
    BgpPeer peer{&object, {}, 0, {}, {}, false, {}, {}};
    const policy::Settings& spec = object.spec;
    if (const auto text = spec.text("peerIP"))
        read_address(*text, peer);
    peer.as = as_in(spec, "asNumber");
    peer.local_as = as_in(spec, "localASNumber");
    peer.to_workloads = spec.has("localWorkloadSelector");
    const auto node = spec.text("node");
    const auto own = spec.selector("nodeSelector");
    const auto theirs = spec.selector("peerSelector");
    for (NodeIndex i = 0; i < nodes.size(); ++i) {
        if (node ? nodes[i].name == node->value : !own || own->parsed.matches(nodes[i].labels))
            peer.nodes.push_back(i);
        if (theirs ? theirs->parsed.matches(nodes[i].labels)
                   : peer.address && nodes[i].has(peer.address->value))
            peer.remote.push_back(i);
    }
    peers.push_back(std::move(peer));
}

std::optional<bool> Bgp::mesh() const {
    if (configuration == nullptr)
        return std::nullopt;
    const auto written = configuration->spec.boolean("nodeToNodeMeshEnabled");
    return !written || written->value;
}

std::optional<AsAt> Bgp::cluster_as() const {
    if (configuration == nullptr)
        return std::nullopt;
    if (const auto written = as_in(configuration->spec, "asNumber"))
        return written;
    return AsAt{kDefaultAs, configuration->meta.span};
}

std::optional<AsAt> Bgp::as_of(NodeIndex node) const {
    return nodes[node].as ? nodes[node].as : cluster_as();
}

std::optional<AsAt> Bgp::shown_as(const BgpPeer& peer, NodeIndex node) const {
    return peer.local_as ? peer.local_as : as_of(node);
}

const policy::OtherObject* Bgp::disabled_by() const {
    for (const policy::OtherObject& each : cluster.others)
        if (each.kind == "Installation" && each.spec.is("bgp", "Disabled"))
            return &each;
    return nullptr;
}

bool Bgp::carries_pods() const {
    if (disabled_by() != nullptr)
        return false;
    // From v3.33 on Felix makes IPIP's routes unless told otherwise.
    const policy::RouteClasses felix = policy::routes_of_felix(cluster).value_or(
        policy::RouteClasses{.ipip = version_ && *version_ >= 333, .plain = false});
    const auto& pools = cluster.pools;
    return !(felix.ipip && felix.plain) &&
           (pools.empty() || !std::all_of(pools.begin(), pools.end(), [&](const auto& pool) {
                const PoolEncapsulation how = encapsulation_of(pool);
                return how.vxlan || (how.ipip ? felix.ipip : felix.plain);
            }));
}

bool Bgp::alone_carries_pods() const {
    return carries_pods() && !policy::has_wireguard_on(cluster, {}, net::Family::V4) &&
           !policy::has_wireguard_on(cluster, {}, net::Family::V6);
}

bool Bgp::in_use() const {
    return !peers.empty() || !configurations.empty() || !filters.empty() ||
           !cluster.inventories.empty();
}

std::vector<NodeIndex> Bgp::select(const selector::Selector& selector) const {
    std::vector<NodeIndex> out;
    for (NodeIndex i = 0; i < nodes.size(); ++i)
        if (selector.matches(nodes[i].labels))
            out.push_back(i);
    return out;
}

std::string setting_text(const policy::SettingValue& value) {
    if (const auto* text = std::get_if<std::string>(&value))
        return *text;
    if (const auto* flag = std::get_if<bool>(&value))
        return *flag ? "true" : "false";
    if (const auto* number = std::get_if<std::int64_t>(&value))
        return std::to_string(*number);
    if (const auto* address = std::get_if<net::Address>(&value))
        return net::to_string(*address);
    if (const auto* cidr = std::get_if<net::Cidr>(&value))
        return net::to_string(*cidr);
    return std::get<policy::SelectorField>(value).text;
}

std::string about(const policy::OtherObject& object) {
    return object.kind + " " + object.meta.name;
}

Span place(const policy::OtherObject& object, std::string_view field) {
    const Span span = object.spec.span(field);
    return span.known() ? span : object.meta.span;
}

std::vector<NodeIndex> common(const std::vector<NodeIndex>& a, const std::vector<NodeIndex>& b) {
    std::vector<NodeIndex> out;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
    return out;
}

void check_bgp(Context& context, Diagnostics& out) {
    const Bgp bgp(context.cluster, context.settings.calico_version);
    check_bgp_numbers(bgp, out);
    check_bgp_fabric(bgp, out);
    check_bgp_peers(bgp, out);
    check_bgp_sessions(bgp, out);
    check_bgp_config(bgp, out);
    check_bgp_filters(bgp, out);
    check_bgp_surprises(bgp, out);
    check_bgp_routes(bgp, out);
    check_bgp_services(context, bgp, out);
}

} // namespace polecat::lint
