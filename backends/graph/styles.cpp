#include "backends/graph/styles.h"

#include <array>

namespace polecat::backends {

const NodeStyle& style_of(Graph::NodeKind kind) {
    static constexpr std::array<NodeStyle, 7> kStyles{{
        {"box", "#dcebf7", "#0072b2", "filled", "policy both ways"},
        {"box", "#eef5fb", "#0072b2", "filled,rounded", "ingress policy only"},
        {"box", "#eef5fb", "#0072b2", "filled,rounded", "egress policy only"},
        {"box", "#fff3d6", "#a05a00", "filled,dashed", "no policy"},
        {"box", "#f4f4f4", "#555555", "filled,rounded", "some with, some without policy"},
        {"ellipse", "#ffffff", "#333333", "filled", "outside addresses"},
        {"box", "#f4f4f4", "#555555", "filled", "workloads"},
    }};
    return kStyles[static_cast<std::size_t>(kind)];
}

const EdgeStyle& style_of(Graph::EdgeKind kind) {
    static constexpr std::array<EdgeStyle, 7> kStyles{{
        {"#1a1a1a", "solid", "1.3", "allowed"},
        {"#1a1a1a", "dashed", "1", "allowed for some of them"},
        {"#7a5195", "dotted", "1.6", "depends on what is not known"},
        {"#d55e00", "solid", "2.4", "opened"},
        {"#d55e00", "dotted", "2.4", "perhaps opened"},
        {"#777777", "dashed", "1.6", "closed"},
        {"#777777", "dotted", "1.6", "perhaps closed"},
    }};
    return kStyles[static_cast<std::size_t>(kind)];
}

} // namespace polecat::backends
