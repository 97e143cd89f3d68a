/// A family's addresses as neighbours that have one leaf each, for both forms of look-up.
#pragma once

#include <cstdint>
#include <vector>

#include "backends/node/node_image.h"

namespace polecat::bpf {

struct Stretch {
    net::Range range;
    std::uint32_t leaf = 0;
    bool exact = false; ///< one address, which stays by itself whatever its neighbours are
    auto operator<=>(const Stretch&) const = default;
};
using Stretches =
    std::vector<Stretch>; ///< sorted, disjoint; neighbouring ranges of one leaf are one

/// `exact` (of single addresses) lies over `ranges`, which do not overlap.
Stretches lay_over(std::vector<Stretch> ranges, std::vector<Stretch> exact);

/// Identities of addresses, of endpoints and of all others.
Stretches identities_of(const backends::NodeImage& image, net::Family family);

} // namespace polecat::bpf
