/// A rollout of iptables, node by node. For rollout.cpp.
#pragma once

#include <optional>
#include <string>

#include "driver/rollout/rollout.h"

namespace polecat::driver {

/// `why`: the same node by nftables, whose reasons hold here as well; nullopt: none are known.
NodeRollout filter_rollout(RulesSide& base, RulesSide& head, const std::string& node,
                           const std::optional<NodeRollout>& why);

/// "p0123456789ab" of "polecat-p0123456789ab-2r"; empty: it is no program's.
std::string program_of_chain(const std::string& chain);
/// Of "polecat4-from-p0123456789ab", the set of those that run it.
std::string program_of_set(const std::string& set);

/// Chains that stay and are written all the same: those that say the generation's number, or all.
enum class WrittenAnew : std::uint8_t { None, Numbered, All };
PartList compare_filter_parts(const iptables::Ruleset& before, const iptables::Ruleset& after,
                              WrittenAnew anew);

} // namespace polecat::driver
