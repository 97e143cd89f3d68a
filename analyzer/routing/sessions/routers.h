/// The routers around the nodes, as the model of propagation needs them.
#pragma once

#include <vector>

#include "ir/policy/cluster.h"
#include "ir/routing/cluster.h"

namespace polecat::routing {

struct Routers {
    std::vector<policy::FabricRouter> list; ///< by address, which no two share
    /// Addresses that BGPPeers name and no inventory: taken to have the AS number that most
    /// sessions expect.
    std::vector<net::Address> assumed;
    /// Addresses that several routers of the inventory have (one in each rack): which one a node
    /// speaks with the model cannot say.
    std::vector<net::Address> ambiguous;
};

/// `nodes`: forms of the nodes; sessions between them don't count.
Routers fabric_routers(const policy::Cluster& cluster, const std::vector<NodeRouting>& nodes);

} // namespace polecat::routing
