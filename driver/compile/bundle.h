/// What `polecat compile` writes, found and read again.
#pragma once

#include <set>
#include <string>

#include "artefact/nft/listing.h"
#include "artefact/nft/ruleset.h"
#include "backends/node/numbers.h"
#include "support/result.h"

namespace polecat::driver {

inline constexpr const char* kNumbersFile = "numbers.txt";
inline constexpr const char* kGenerationsFile = "generations.nft";

/// Those that a bundle has rules for; none where there is no such folder.
std::set<std::string> nodes_in(const std::string& bundle);
std::string rules_path(const std::string& bundle, const std::string& node);
std::string origins_path(const std::string& bundle, const std::string& node);

/// Writes a file of a bundle, and makes the folders on the way.
Result<bool> write_in_bundle(const std::string& bundle, const std::string& path,
                             const std::string& text);

/// Errors of these name the file.
Result<backends::Numbers> numbers_in(const std::string& bundle);
/// Of a node's file, or of a listing, in which tables of others may stand; they go to `others`.
Result<nft::Ruleset> rules_in(const std::string& path, nft::OtherTables* others = nullptr);

} // namespace polecat::driver
