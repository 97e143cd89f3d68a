#include <algorithm>
#include <map>

#include "backends/graph/graph.h"

namespace polecat::backends {

namespace {

using NodeKind = Graph::NodeKind;

/// Fewer arrows than this are drawn as they are.
constexpr std::size_t kAtLeast = 4;

bool sends_freely(NodeKind kind) {
    return kind == NodeKind::Open || kind == NodeKind::Ingress;
}
bool receives_freely(NodeKind kind) {
    return kind == NodeKind::Open || kind == NodeKind::Egress;
}

/// Arrows between one node and all free ones on the other side, where all are alike.
class Condenser {
  public:
    explicit Condenser(Graph graph) : graph_(std::move(graph)), gone_(graph_.edges.size()) {}

    Graph run() {
        for (std::size_t i = 0; i < graph_.edges.size(); ++i)
            gone_[i] = graph_.edges[i].implied;
        const bool implied = std::find(gone_.begin(), gone_.end(), true) != gone_.end();
        const bool in = merge(true), out = merge(false);
        if (implied)
            graph_.notes.push_back("No arrow: where neither end has policy in that direction "
                                   "everything is allowed, from and to outside as well.");
        if (in || out)
            graph_.notes.push_back("\"all\" in a box: every endpoint that no policy restricts in "
                                   "that direction; the others have arrows.");
        std::size_t at = 0;
        std::erase_if(graph_.edges, [&](const Graph::Edge&) { return gone_[at++]; });
        return std::move(graph_);
    }

  private:
    bool is_free(std::size_t node, bool in) const {
        const NodeKind kind = graph_.nodes[node].kind;
        return in ? sends_freely(kind) : receives_freely(kind);
    }

    /// in: arrows to a node from free senders.
    bool merge(bool in) {
        std::map<std::size_t, std::vector<std::size_t>> arrows; // by node
        for (std::size_t i = 0; i < graph_.edges.size(); ++i) {
            const Graph::Edge& edge = graph_.edges[i];
            const std::size_t node = in ? edge.to : edge.from, other = in ? edge.from : edge.to;
            if (!gone_[i] && node != other && is_free(other, in) && !is_outside(node))
                arrows[node].push_back(i);
        }
        bool any = false;
        for (const auto& [node, list] : arrows)
            any = merge_one(node, list, in) || any;
        return any;
    }

    bool merge_one(std::size_t node, const std::vector<std::size_t>& list, bool in) {
        std::size_t free = 0;
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i)
            free += i != node && is_free(i, in) ? 1 : 0;
        const Graph::Edge first = graph_.edges[list.front()];
        const bool alike = std::all_of(list.begin(), list.end(), [&](std::size_t each) {
            const Graph::Edge& edge = graph_.edges[each];
            return edge.label == first.label && edge.kind == first.kind;
        });
        if (list.size() != free || free < kAtLeast || !alike)
            return false;
        for (const std::size_t each : list)
            gone_[each] = true;
        const char* doubt = first.kind == Graph::EdgeKind::Allowed  ? ""
                            : first.kind == Graph::EdgeKind::Partly ? " (some)"
                                                                    : " (depends)";
        graph_.nodes[node].label +=
            (in ? "\nfrom all: " : "\nto all: ") + shortened(first.label, 32) + doubt;
        graph_.nodes[node].tooltip += (in ? "\nfrom all: " : "\nto all: ") + first.label + doubt;
        return true;
    }

    bool is_outside(std::size_t node) const { return graph_.nodes[node].kind == NodeKind::Outside; }

    Graph graph_;
    std::vector<bool> gone_;
};

} // namespace

Graph condensed(Graph graph) {
    return Condenser(std::move(graph)).run();
}

std::string shortened(const std::string& text, std::size_t most) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xc0) == 0x80)
            continue;
        if (count++ == most)
            return text.substr(0, i) + "…";
    }
    return text;
}

std::string escape_markup(const std::string& text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text)
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        case '\'':
            out += "&#39;";
            break;
        default: // XML has no other control characters than these
            if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t')
                out += c;
        }
    return out;
}

} // namespace polecat::backends
