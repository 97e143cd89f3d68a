/// Nodes of the input that stand for each other: a flow of which one end may be on any node, or
/// that may come in at any, is followed over one node of each kind. For ir/path only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ir/path/leaving.h"

namespace polecat::ir {

/// A packet as policy at its destination sees it; its source may be any node's address.
struct Arrival {
    decision::Flow flow;
    std::optional<decision::ObjectId> destination;
    std::string node; ///< of the destination; empty: not known
    /// Whether a node may have a pod that answers.
    std::function<decision::Tri(const std::string& node)> may_answer;
};

/// One node for each set of host endpoints and for what policy makes of the node's addresses.
std::vector<std::string> kinds_of_nodes(const decision::LoweredCluster& cluster,
                                        const Leaving& leaving, const Arrival& packet);

} // namespace polecat::ir
