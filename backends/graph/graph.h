/// Pictures of connectivity: a directed graph as DOT text, as SVG with arrows (Graphviz lays it
/// out) or, where arrows would be too many to follow, as SVG with a table of rows and columns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/result.h"

namespace polecat::backends {

struct Graph {
    /// Told apart by border and words, not by colour alone.
    enum class NodeKind : std::uint8_t { Governed, Ingress, Egress, Open, Mixed, Outside, Plain };
    struct Node {
        std::string label;   ///< lines end with \n
        std::string cluster; ///< box around nodes of one namespace; empty: none
        std::string tooltip;
        NodeKind kind = NodeKind::Governed;
    };
    enum class EdgeKind : std::uint8_t {
        Allowed,
        Partly, ///< for some of the endpoints at its ends only
        Depends,
        Opened,
        PerhapsOpened,
        Closed,
        PerhapsClosed,
    };
    struct Edge {
        std::size_t from = 0, to = 0; ///< indices into nodes
        std::string label;
        EdgeKind kind = EdgeKind::Allowed;
        /// Both ends are free of policy in this direction and everything may be sent.
        bool implied = false;
    };
    std::string title;
    std::vector<std::string> notes; ///< lines below the title
    std::vector<Node> nodes;
    std::vector<Edge> edges; ///< at most one of a kind between two nodes
    bool legend = true;
};

/// Arrows in one picture that an eye can follow.
inline constexpr std::size_t kMostArrows = 30;
/// Rows of a table.
inline constexpr std::size_t kMostNodes = 400;

enum class Drawing : std::uint8_t { Arrows, Table };
/// By size only.
Drawing drawing_of(const Graph& graph);

/// The same graph with fewer arrows and the same meaning: what every unrestricted sender may send
/// to a node, and what a node may send to every unrestricted receiver, is written into the node.
Graph condensed(Graph graph);

/// The same graph gives the same text.
std::string to_dot(const Graph& graph);
/// As drawing_of says. Fails where Graphviz has no layout plugin or the graph has too many nodes.
Result<std::string> to_svg(const Graph& graph);

/// Text for XML and HTML, quotes included.
std::string escape_markup(const std::string& text);
/// The first `most` characters (not bytes) and an ellipsis.
std::string shortened(const std::string& text, std::size_t most);

} // namespace polecat::backends
