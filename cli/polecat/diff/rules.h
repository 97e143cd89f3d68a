/// `polecat diff --rules`: what a rollout of HEAD does to nodes that run BASE.
#pragma once

#include <string>

#include "driver/input/input.h"

namespace polecat::cli {

struct DiffRulesOptions {
    bool on = false; ///< --rules
    std::string node, target = "nftables";
    std::string numbers; ///< --base: the compiled folder that a listing's node was loaded from
    std::string key;     ///< that bundles must be signed with, or empty
};

/// One of the two: manifests of a revision, or a path to whatever is there.
struct DiffRulesSide {
    std::string name;
    const driver::Input* input = nullptr; ///< nullptr: `name` is a path
};

/// The exit code: 1 where a limit is passed, 2 where something is not told of a node.
int diff_rules(const DiffRulesSide& base, const DiffRulesSide& head,
               const DiffRulesOptions& options, const driver::InputOptions& input,
               const std::string& format, const std::string& fail_on);

} // namespace polecat::cli
