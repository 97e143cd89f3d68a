/// `polecat compile --plan-from`: what a node that holds other rules must load.
#pragma once

#include <string>

#include "backends/nftables/plan.h"

namespace polecat::cli {

/// `from`: a file with a node's rules (a ruleset of a bundle, or the kernel's listing), or the
/// folder of a bundle. Throws CLI::ValidationError where there is nothing to plan from.
backends::Plan plan_from(const std::string& from, const std::string& node,
                         const backends::NodeImage& to);

/// Steps one after the other, each with what it does.
void print_plan(const backends::Plan& plan, const backends::NodeImage& to, const std::string& node);

} // namespace polecat::cli
