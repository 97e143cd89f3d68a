/// A compiled folder: what `polecat compile` writes of a target, found and read again.
#pragma once

#include <map>
#include <set>
#include <string>

#include "artefact/nft/listing.h"
#include "artefact/nft/ruleset.h"
#include "backends/node/numbers.h"
#include "support/result.h"

namespace polecat::driver {

inline constexpr const char* kNumbersFile = "numbers.txt";
inline constexpr const char* kGenerationsFile = "generations.nft";
inline constexpr const char* kHooksFile = "hooks.iptables";
inline constexpr const char* kRulesetFile = "ruleset.nft"; ///< of a node
inline constexpr const char* kTablesFile = "tables.bpf";   ///< of a node
inline constexpr const char* kHostHooksFile =
    "host-hooks.iptables"; ///< where host endpoints need it

/// Those that a folder has rules for; none where there is no such folder.
std::set<std::string> nodes_in(const std::string& folder);
std::string rules_path(const std::string& folder, const std::string& node);
/// A file of a node.
std::string path_in(const std::string& folder, const std::string& node, const char* file);
std::string origins_path(const std::string& folder, const std::string& node);

/// Writes a file of it, and makes the folders on the way.
Result<bool> write_in_folder(const std::string& folder, const std::string& path,
                             const std::string& text);

/// Takes away what an earlier compile wrote of the node and this one does not.
void remove_former(const std::string& folder, const std::string& node,
                   const std::map<std::string, std::string>& files);

/// Errors of these name the file.
Result<backends::Numbers> numbers_in(const std::string& folder);
/// Of a node's file, in which nothing else may stand.
Result<nft::Ruleset> rules_in(const std::string& path);
/// How listings are made, behind what is wrong with one.
inline constexpr const char* kListedBy = "; what a node runs is listed by `nft -nn list ruleset`";
/// Of a listing, in which tables of others may stand; they go to `others`.
Result<nft::Ruleset> listed_rules_in(const std::string& path, nft::OtherTables& others);

} // namespace polecat::driver
