/// Nodes of a rollout by what changes there, so that a thousand of them can be read.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "driver/rollout/rollout.h"

namespace polecat::driver {

/// Parts of one kind that change in one way, added up.
struct PartCount {
    std::size_t parts = 0;
    Tally chains, rules, maps, elements;
    auto operator<=>(const PartCount&) const = default;
};
std::map<std::pair<PartKind, PartChange>, PartCount> counts_of(const NodeRollout& node);

/// Nodes with the same change for the same reasons; where that are too many groups, with the same
/// kinds of change.
struct RolloutGroup {
    std::vector<std::size_t> nodes; ///< indices into Rollout::nodes; at least one
    bool same = true;               ///< all have the same reasons and the same counts
    /// Of any of them, index into Rollout::reasons and how many nodes have it; most first.
    std::vector<std::pair<std::size_t, std::size_t>> reasons;
};
/// In the order of their first nodes.
std::vector<RolloutGroup> groups_of(const Rollout& rollout);

} // namespace polecat::driver
