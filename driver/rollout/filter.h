/// A rollout of iptables, node by node. For rollout.cpp.
#pragma once

#include <optional>
#include <string>

#include "driver/rollout/rollout.h"

namespace polecat::driver {

/// `why`: the same node by nftables, whose reasons hold here as well; nullopt: none are known.
NodeRollout filter_rollout(RulesSide& base, RulesSide& head, const std::string& node,
                           const std::optional<NodeRollout>& why);

PartList compare_filter_parts(const iptables::Ruleset& before, const iptables::Ruleset& after,
                              bool judges_anew);

} // namespace polecat::driver
