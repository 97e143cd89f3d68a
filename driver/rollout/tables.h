/// A rollout of tables for the BPF classifier, node by node. For rollout.cpp.
#pragma once

#include <optional>
#include <string>

#include "driver/rollout/rollout.h"

namespace polecat::driver {

/// `why`: the same node by nftables, whose reasons hold here as well; nullopt: none are known.
NodeRollout table_rollout(RulesSide& base, RulesSide& head, const std::string& node,
                          const std::optional<NodeRollout>& why);

} // namespace polecat::driver
