/// `polecat compile --plan-from`: what a node that holds other rules must load.
#pragma once

#include <string>

#include "backends/nftables/plan.h"
#include "support/result.h"

namespace polecat::driver {

/// `from`: a file with a node's rules (a ruleset of a bundle, or the kernel's listing), or the
/// folder of a bundle. An error where there is nothing to plan from.
Result<backends::Plan> plan_from(const std::string& from, const std::string& node,
                                 const backends::NodeImage& to);

} // namespace polecat::driver
