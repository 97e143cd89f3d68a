/// The hops of a flow whose ends are settled. For ir/path only.
#pragma once

#include "ir/path/path.h"

namespace polecat::ir {

/// A service's address in front of a backend.
struct Translation {
    std::optional<net::Address> front; ///< absent: no manifest gives it
    std::uint16_t port = 0;            ///< the backend's
    std::optional<std::string> node;   ///< set: came in through a node port of this node
    bool external = false;             ///< an external or load balancer's address
};

/// Adds the ways from query.source to query.destination in query.family (given).
void add_routes(const decision::LoweredCluster& cluster, const PathQuery& query,
                const std::optional<Translation>& translation, std::vector<Path>& out);

} // namespace polecat::ir
