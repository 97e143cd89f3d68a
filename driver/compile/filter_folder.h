/// Chains and sets of a node in a folder: what `compile --target iptables` wrote, read again, or
/// what the node lists.
#pragma once

#include <string>

#include "artefact/iptables/ruleset.h"
#include "backends/iptables/iptables.h"
#include "support/result.h"

namespace polecat::driver {

/// A set that stands on a node while a load goes on.
inline constexpr const char* kUnfinishedSet = "polecat-unfinished";

/// Of `sets.ipset`, `rules.v4` and `rules.v6` in the folder; sorted. Errors name the file.
Result<iptables::Ruleset> filter_rules_in(const std::string& folder);
/// The same files as `ipset save`, `iptables-save` and `ip6tables-save` list them.
Result<iptables::Ruleset> listed_filter_rules_in(const std::string& folder);

/// What in the folder is not exactly as written; empty: nothing.
std::string filter_files_lack(const std::string& folder, const iptables::CompiledRules& written);
/// The same of what is written of this image.
std::string filter_files_lack(const std::string& folder, const iptables::FilterImage& image);

} // namespace polecat::driver
