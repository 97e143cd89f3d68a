/// Plans from what a node runs to what it is to run.
#pragma once

#include <string>
#include <vector>

#include "backends/nftables/plan.h"
#include "support/result.h"

namespace polecat::driver {

/// `from`: a listing of the node's table, or a folder whose file the node has loaded whole.
Result<backends::Plan> plan_from(const std::string& from, const std::string& node,
                                 const backends::NodeImage& to);

/// A plan as somebody loads it: what to know before, the steps in order, what to do after. What is
/// no step is comments.
struct PlanTexts {
    std::string before, after;
    std::vector<std::string> steps;
};
PlanTexts texts_of(const backends::Plan& plan, const backends::NodeImage& to,
                   const std::string& node);

/// As files in the node's folder below `folder`: step-1.nft, ..., and steps.txt that says what they
/// do. Steps of an earlier plan are taken away. Returns the folder of the node.
Result<std::string> write_plan(const std::string& folder, const std::string& node,
                               const PlanTexts& plan);

} // namespace polecat::driver
