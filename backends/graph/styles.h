/// How kinds of nodes and edges look: colours of Okabe and Ito, which colour-blind people tell
/// apart, each together with a line style or a word.
#pragma once

#include "backends/graph/graph.h"

namespace polecat::backends {

/// Notes are cut here: the program prints them whole.
inline constexpr std::size_t kNoteLength = 130;

struct NodeStyle {
    const char* shape;
    const char* fill;
    const char* line;
    const char* style; ///< Graphviz
    const char* words; ///< for the legend
};

struct EdgeStyle {
    const char* colour;
    const char* style; ///< Graphviz
    const char* width;
    const char* words;
};

const NodeStyle& style_of(Graph::NodeKind kind);
const EdgeStyle& style_of(Graph::EdgeKind kind);

/// Draws the graph as a table: rows are senders, columns are receivers.
std::string to_table_svg(const Graph& graph);

} // namespace polecat::backends
