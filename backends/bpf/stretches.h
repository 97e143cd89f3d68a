/// A family's addresses as neighbours that have one leaf each, for both forms of look-up.
#pragma once

#include <cstdint>
#include <vector>

#include "backends/node/node_image.h"

namespace polecat::bpf {

struct Stretch {
    net::Range range;
    std::uint32_t leaf = 0; ///< 0: none
    auto operator<=>(const Stretch&) const = default;
};
using Stretches = std::vector<Stretch>; ///< sorted, disjoint; neighbours of one leaf are one

/// `exact` lies over `ranges`, which do not overlap. An exact address stays by itself.
Stretches lay_over(std::vector<Stretch> ranges, std::vector<Stretch> exact);

} // namespace polecat::bpf
