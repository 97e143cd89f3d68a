/// Generations: the numbers by which a node tells flows that the loaded policy has judged from
/// flows that another policy has. A counter of the node and no part of the policy: whoever applies
/// rules keeps it, and takes next() of it with every change.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "backends/node/node_image.h"

namespace polecat::backends {

struct Generation {
    static constexpr std::uint16_t kLast = 4095;

    std::uint16_t number = 1; ///< 1 to kLast
    auto operator<=>(const Generation&) const = default;

    /// In the conntrack mark, whose bits from `lowest` on are ours; what `nft -D generation=` is
    /// given.
    std::uint32_t bits(unsigned lowest = kFlowMarkBit) const {
        return std::uint32_t{number} << lowest;
    }
    /// After the last comes 1 again. Before a number comes again, it must be gone from conntrack.
    Generation next() const {
        return {static_cast<std::uint16_t>(number == kLast ? 1 : number + 1)};
    }
};

/// The text that makes the table of numbers that may be used: every one once, until it is put back.
std::string free_generations(unsigned lowest = kFlowMarkBit);

} // namespace polecat::backends
