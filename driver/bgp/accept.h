/// Whether a prefix from a neighbour enters the kernels of nodes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyzer/routing/propagation/acceptance.h"
#include "driver/bgp/ends.h"

namespace polecat::driver {

/// Nodes that do the same.
struct AcceptRow {
    routing::Acceptance first;
    std::vector<std::string> nodes;
    std::string assumed;        ///< empty: nothing
    std::string taken, written; ///< what happens, and why
    bool establishes = true;    ///< the session; without one nothing enters
    bool enters = false;
};

/// Asked of `node`, or of all that peer with `from`; empty: none does. Takes a block of the
/// neighbour for granted where it is a node and the input has no block for the prefix.
std::vector<AcceptRow> accept(RoutedInput& routed, const net::Cidr& prefix, const BgpNeighbor& from,
                              std::optional<routing::NodeIndex> node, routing::Trail trail);

} // namespace polecat::driver
