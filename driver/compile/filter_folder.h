/// Chains and sets of a node in a folder: what `compile --target iptables` wrote, read again, or
/// what the node lists.
#pragma once

#include <string>

#include "artefact/iptables/ruleset.h"
#include "support/result.h"

namespace polecat::driver {

/// A set that stands on a node while a load goes on.
inline constexpr const char* kUnfinishedSet = "polecat-unfinished";

/// Of `sets.ipset`, `rules.v4` and `rules.v6` in the folder; sorted. Errors name the file.
Result<iptables::Ruleset> filter_rules_in(const std::string& folder);
/// The same files as `ipset save`, `iptables-save` and `ip6tables-save` list them.
Result<iptables::Ruleset> listed_filter_rules_in(const std::string& folder);

} // namespace polecat::driver
