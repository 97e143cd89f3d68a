/// What a node does with a prefix that a neighbour tells it of: `polecat bgp accept`.
#pragma once

#include <string>
#include <vector>

#include "analyzer/routing/propagation/announcements.h"

namespace polecat::routing {

struct Acceptance {
    enum class Way : std::uint8_t {
        None,      ///< does not enter the kernel
        Own,       ///< the node has the prefix itself, which comes first
        Tunnel,    ///< through kTunnelDevice
        Link,      ///< through the device of the node's own network, where the next hop is
        Recursive, ///< through the device that leads to the next hop
    };
    NodeIndex node = 0;
    Session session;
    bool looped = false;  ///< refused before the filters: the path has the node's own AS number
    RouteVerdict taken;   ///< of the import filters
    RouteVerdict written; ///< into the kernel; not asked where it is not taken
    Way way = Way::None;
    net::Address next_hop;
};

/// `route` as the neighbour of `session` sends it.
Acceptance accept(const ClusterRouting& cluster, NodeIndex node, const NodeRouting& form,
                  const Session& session, Route route, Trail trail);

/// The least that the neighbour could say of a prefix: its own AS number, itself as the next hop.
Route told_by(const Session& session, const net::Cidr& prefix);

} // namespace polecat::routing
