#include "passes/lower.h"

#include <algorithm>

#include "ir/policy/felix.h"
#include "ir/policy/pools.h"
#include "passes/lowering/parts.h"

namespace polecat::passes {

namespace {

using decision::Tunnel;

/// From the fields of a Calico Node and from the annotations that calico/node gives Kubernetes'
/// (libcalico-go/lib/backend/k8s/resources/node.go).
void add_tunnels(const policy::Node& node, decision::NodeInfo& out) {
    static constexpr struct {
        Tunnel kind;
        const char *field, *annotation;
    } kPlaces[] = {
        {Tunnel::Vxlan, "ipv4VXLANTunnelAddr", "IPv4VXLANTunnelAddr"},
        {Tunnel::Vxlan, "ipv6VXLANTunnelAddr", "IPv6VXLANTunnelAddr"},
        {Tunnel::Ipip, "bgp.ipv4IPIPTunnelAddr", "IPv4IPIPTunnelAddr"},
        {Tunnel::Wireguard, "wireguard.interfaceIPv4Address", "IPv4WireguardInterfaceAddr"},
        {Tunnel::Wireguard, "wireguard.interfaceIPv6Address", "IPv6WireguardInterfaceAddr"},
    };
    for (const auto& [kind, field, annotation] : kPlaces) {
        if (const auto address = node.spec.address(field))
            out.tunnel_addresses.emplace_back(kind, **address);
        const auto found =
            node.meta.annotations.find(std::string("projectcalico.org/") + annotation);
        if (found == node.meta.annotations.end())
            continue;
        if (const auto address = net::parse_address(found->second))
            out.tunnel_addresses.emplace_back(kind, *address);
    }
}

/// The networks that CrossSubnet compares: Calico's addresses of the node with their prefixes.
void add_networks(const policy::Node& node, decision::NodeInfo& out) {
    const auto add = [&](const std::string& text) {
        const auto cidr = net::parse_cidr(text, net::CidrForm::Masked);
        if (cidr && cidr->prefix != net::width(cidr->family()))
            out.networks.push_back(*cidr);
    };
    for (const char* field : {"bgp.ipv4Address", "bgp.ipv6Address"})
        if (const auto text = node.spec.text(field))
            add(text->value);
    for (const char* name : {"IPv4Address", "IPv6Address"})
        if (const auto found = node.meta.annotations.find(std::string("projectcalico.org/") + name);
            found != node.meta.annotations.end())
            add(found->second);
}

decision::PodPool pool_of(const policy::Pool& pool) {
    const bool ipip = policy::uses_ipip(pool), vxlan = policy::uses_vxlan(pool);
    decision::PodPool out;
    out.cidr = pool.cidr;
    out.tunnel = ipip ? Tunnel::Ipip : vxlan ? Tunnel::Vxlan : Tunnel::None;
    out.cross_subnet = pool.encapsulation == policy::Encapsulation::IpipCrossSubnet ||
                       pool.encapsulation == policy::Encapsulation::VxlanCrossSubnet;
    out.nat_outgoing = pool.nat_outgoing;
    return out;
}

bool is_unread(const policy::Cluster& cluster, const net::Cidr& cidr) {
    return std::any_of(cluster.pools.begin(), cluster.pools.end(), [&](const policy::IpPool& each) {
        return each.cidr == cidr && each.meta.unread.known();
    });
}

/// All that a pool may be of which only the addresses are known.
void add_unread_pool(const net::Cidr& cidr, std::vector<decision::PodPool>& pools) {
    for (const Tunnel tunnel : {Tunnel::None, Tunnel::Ipip, Tunnel::Vxlan})
        for (const bool nat_outgoing : {false, true})
            pools.push_back({cidr, tunnel, false, nat_outgoing});
}

void add_pools(const policy::Cluster& cluster, std::vector<decision::PodPool>& pools) {
    for (const policy::Pool& pool : policy::pools_of(cluster))
        if (is_unread(cluster, pool.cidr))
            add_unread_pool(pool.cidr, pools);
        else if (pool.for_pods)
            pools.push_back(pool_of(pool));
    if (lowering::has_unknown_pool(cluster))
        for (const char* everything : {"0.0.0.0/0", "::/0"})
            add_unread_pool(*net::parse_cidr(everything, net::CidrForm::Masked), pools);
}

void add_network(const policy::Cluster& cluster, decision::LoweredCluster& lowered) {
    for (const policy::Node& node : cluster.nodes) {
        decision::NodeInfo info{node.meta.name, node.addresses, {}, {}};
        add_tunnels(node, info);
        add_networks(node, info);
        lowered.nodes.push_back(std::move(info));
    }
    add_pools(cluster, lowered.pools);
    if (const policy::OtherObject* felix = policy::default_felix(cluster)) {
        lowered.nat_spares_hosts = felix->spec.is("natOutgoingExclusions", "IPPoolsAndHostIPs");
        lowered.is_bpf = felix->spec.is_true("bpfEnabled");
    }
    for (const policy::OtherObject& each : cluster.others)
        lowered.is_bpf = lowered.is_bpf ||
                         (each.kind == "Installation" && each.spec.is("linuxDataplane", "BPF"));
}

} // namespace

Lowered lower(const policy::Cluster& cluster, const LowerOptions& options) {
    Lowered out{order_policies(cluster), {}};
    decision::LoweredCluster& lowered = out.cluster;
    lowered.world.unknown_address = options.unknown_address;
    lowered.felix = cluster.felix;
    for (const auto& [node, felix] : cluster.felix_of_nodes)
        lowered.felix_of_nodes.emplace(node, policy::over(cluster.felix, felix));
    if (const auto action = policy::to_host_of_environment(cluster)) {
        lowered.felix.to_host = action;
        for (auto& [node, felix] : lowered.felix_of_nodes)
            felix.to_host = action;
    }
    add_network(cluster, lowered);
    const lowering::Profiles profiles = lowering::profiles_of(cluster);
    const std::vector<lowering::EndpointSource> endpoints =
        lowering::build_world(cluster, profiles, lowered);
    lowering::build_services(cluster, lowered);
    lowering::build_groups(cluster, profiles, out.policies.tiers, endpoints, options.only_node,
                           lowered);
    return out;
}

} // namespace polecat::passes
