/// Nodes that BGP cannot tell apart: whichever two of a class change places, the same sessions and
/// rules stand. Names, addresses, blocks and services of their own don't count.
#pragma once

#include <vector>

#include "ir/routing/cluster.h"

namespace polecat::routing {

struct NodeClasses {
    std::vector<std::uint32_t> of;               ///< by node
    std::vector<std::vector<NodeIndex>> members; ///< ascending
};
NodeClasses node_classes(const ClusterRouting& cluster);

/// The cluster but for its nodes.
ClusterRouting without_nodes(const ClusterRouting& cluster);
/// The cluster with `kept` (ascending) alone, without what they announce by themselves. `bare` is
/// without_nodes(cluster).
ClusterRouting only_nodes(const ClusterRouting& cluster, const ClusterRouting& bare,
                          const std::vector<NodeIndex>& kept);

} // namespace polecat::routing
