#include "passes/lower.h"

#include "ir/policy/felix.h"
#include "passes/lower_parts.h"

namespace polecat::passes {

namespace {

/// From the fields of a Calico Node and from the annotations that calico/node gives Kubernetes'
/// (libcalico-go/lib/backend/k8s/resources/node.go).
std::vector<net::Address> tunnel_addresses(const policy::Node& node) {
    std::vector<net::Address> out;
    for (const char* field :
         {"ipv4VXLANTunnelAddr", "ipv6VXLANTunnelAddr", "bgp.ipv4IPIPTunnelAddr",
          "wireguard.interfaceIPv4Address", "wireguard.interfaceIPv6Address"})
        if (const auto address = node.spec.address(field))
            out.push_back(**address);
    for (const char* name : {"IPv4VXLANTunnelAddr", "IPv6VXLANTunnelAddr", "IPv4IPIPTunnelAddr",
                             "IPv4WireguardInterfaceAddr", "IPv6WireguardInterfaceAddr"}) {
        const auto found = node.meta.annotations.find(std::string("projectcalico.org/") + name);
        if (found == node.meta.annotations.end())
            continue;
        if (const auto address = net::parse_address(found->second))
            out.push_back(*address);
    }
    return out;
}

} // namespace

decision::LoweredCluster lower(const policy::Cluster& cluster,
                               [[maybe_unused]] diag::Diagnostics& diagnostics,
                               const LowerOptions& options) {
    decision::LoweredCluster lowered;
    lowered.world.unknown_address = options.unknown_address;
    lowered.felix = cluster.felix;
    for (const auto& [node, felix] : cluster.felix_of_nodes)
        lowered.felix_of_nodes.emplace(node, policy::over(cluster.felix, felix));
    for (const policy::Node& node : cluster.nodes)
        lowered.nodes.push_back({node.meta.name, node.addresses, tunnel_addresses(node)});
    const lowering::Profiles profiles = lowering::profiles_of(cluster);
    const std::vector<lowering::EndpointSource> endpoints =
        lowering::build_world(cluster, profiles, lowered);
    lowering::build_services(cluster, lowered);
    const policy::OrderedPolicies policies = order_policies(cluster);
    lowering::build_groups(cluster, profiles, policies.tiers, endpoints, options.only_node,
                           lowered);
    return lowered;
}

} // namespace polecat::passes
