/// Long lists of rules as a tree of chains: by protocol, then by parts of the destination ports,
/// then in blocks by who sends or receives, so that a new flow crosses few of them. Leaves hold
/// rules in their order; equal leaves are one.
#pragma once

#include <cstdint>
#include <vector>

#include "backends/iptables/blocks.h"

namespace polecat::iptables {

/// One chain of the tree: rules, then what leads on. No branch: the stage ends after the rules.
struct CutPart {
    struct Branch {
        std::vector<Match> matches; ///< none, nor anybody in `of`: the last
        std::size_t to = 0;         ///< number of a part
        AnyOf of{};
    };
    std::vector<Branch> branches;
    std::vector<std::uint32_t> rules;
};

/// Shorter lists are as cheap to cross, and easier to read.
inline constexpr std::size_t kShortestCut = 32;

/// The first is where packets come in; a packet goes through at most `levels` of them. Empty where
/// the list stays as it is: short, or without what tells its rules apart, or not in the order of
/// in_order().
std::vector<CutPart> cut(const std::vector<FilterRule>& rules, std::size_t levels);

/// Rules that were taken from leaves, in any order and more than once, as they stood.
std::vector<FilterRule> in_order(std::vector<FilterRule> rules);
/// Puts rules of one slot into that order, of lists that are long enough to be cut. They have one
/// action, so that the order does not matter to packets.
void settle_order(std::vector<FilterRule>& rules);

} // namespace polecat::iptables
