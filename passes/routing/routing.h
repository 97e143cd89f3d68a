/// Routing: policy::Cluster -> routing::ClusterRouting -> the routing form of each node. The rules
/// are those of Calico's confd (docs/routing.md). Pure; reports what Calico or BIRD would refuse.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/policy/cluster.h"
#include "ir/routing/cluster.h"
#include "support/diag/diagnostic.h"

namespace polecat::passes {

/// What manifests don't say.
struct RoutingOptions {
    std::string router_id; ///< CALICO_ROUTER_ID: "", "hash", or the ID
    /// CALICO_ADVERTISE_CLUSTER_IPS: instead of serviceClusterIPs.
    std::optional<std::vector<net::Cidr>> cluster_ip_ranges;
    /// Where Secrets must stand to count; empty: kube-system or calico-system.
    std::string agent_namespace;
    /// False: a Secret that is not in the input is taken to be in the cluster, since repositories
    /// seldom hold Secrets, and a session without its password would be open.
    bool secrets_are_all = false;
    /// False: where the input has no EndpointSlice of a service, its pods are those that it selects
    /// and that stand on a node, since repositories hold EndpointSlices as seldom.
    bool slices_are_all = false;
    /// Set: of the one node that is asked about. Otherwise workloads of the manifests are taken.
    std::optional<std::vector<routing::EndpointStatus>> endpoint_status;
};

routing::ClusterRouting lower_routing(const policy::Cluster& cluster, const RoutingOptions& options,
                                      diag::Diagnostics& diagnostics);

/// nullopt: refused, and reported. Warns where Calico's choice would be random.
std::optional<routing::NodeRouting> node_routing(const routing::ClusterRouting& cluster,
                                                 routing::NodeIndex node,
                                                 diag::Diagnostics& diagnostics);

} // namespace polecat::passes
