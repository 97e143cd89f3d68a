/// The parts of node_routing, a file each. Private to passes/routing.
#pragma once

#include "passes/routing/routing.h"

namespace polecat::passes::routing_parts {

/// sessions.cpp: the sessions of one family of a node, the filters that they name, and the static
/// routes that make neighbours reachable.
void add_sessions(const routing::ClusterRouting& cluster, routing::NodeIndex node,
                  routing::NodeRouting& of, net::Family family, diag::Diagnostics& diagnostics);

} // namespace polecat::passes::routing_parts
