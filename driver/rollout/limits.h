/// Limits that a rollout is held to (`--fail-on`).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/rollout/rollout.h"
#include "support/result.h"

namespace polecat::driver {

struct RolloutLimits {
    /// On any one node: that come, go or are written anew.
    std::optional<std::size_t> elements, rules;
    std::optional<std::size_t> nodes; ///< that load anything
};

/// "elements=1000,rules=50,nodes=10"; "any" is nodes=0, "none" no limit.
Result<RolloutLimits> parse_limits(const std::string& text);

/// What is over a limit, a line each: "nodes: 83, and the limit is 10".
std::vector<std::string> over_limits(const Rollout& rollout, const RolloutLimits& limits);

} // namespace polecat::driver
