/// Pictures of connectivity: a directed graph written as DOT text or drawn as SVG by Graphviz.
#pragma once

#include <string>
#include <vector>

#include "support/result.h"

namespace polecat::backends {

struct Graph {
    struct Node {
        std::string label;
        std::string cluster; ///< boxes around nodes of one namespace; empty: none
        bool outside = false;
    };
    struct Edge {
        std::size_t from = 0, to = 0; ///< indices into nodes
        std::string label;
        bool doubtful = false; ///< drawn dashed
    };
    std::vector<Node> nodes;
    std::vector<Edge> edges;
};

/// The same graph gives the same text.
std::string to_dot(const Graph& graph);
/// Fails where Graphviz has no layout plugin.
Result<std::string> to_svg(const Graph& graph);

} // namespace polecat::backends
