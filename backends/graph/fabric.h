/// A picture of a network fabric: routers above, route reflectors, groups of nodes below, sessions
/// as lines between them; what will not establish in red, with a number that a list explains.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace polecat::backends {

struct FabricPicture {
    enum class Layer : std::uint8_t { Router, Reflector, Nodes };
    struct Box {
        Layer layer = Layer::Nodes;
        std::string title;
        std::vector<std::string> lines; ///< below the title
        std::string tooltip;
        bool in_mesh = false;
        std::vector<std::size_t> mesh_problems; ///< into problems: of its sessions of the mesh
        std::vector<std::size_t> own_problems;  ///< of sessions inside the box
    };
    struct Line {
        std::size_t a = 0, b = 0;                 ///< indices into boxes
        std::uint64_t external = 0, internal = 0; ///< eBGP and iBGP sessions
        std::vector<std::size_t> problems;        ///< into problems
    };
    struct Problem {
        bool certain = true;
        std::string text;
        std::vector<std::string> places; ///< lines of both sides
    };
    std::string title;
    std::vector<std::string> notes; ///< below the title
    std::vector<Box> boxes;
    std::vector<Line> lines;
    std::vector<Problem> problems;
    std::string mesh; ///< what the mesh's bar says; empty: there is none
};

/// The same picture gives the same text. Colours come with a line style or a number each.
std::string to_svg(const FabricPicture& picture);

} // namespace polecat::backends
