/// Many files at once, and files that nobody else may read.
#pragma once

#include <map>
#include <string>

#include "support/result.h"

namespace polecat::runtime {

/// Writes files, each whole or not at all under its name, and makes their folders; what has a name
/// already is replaced. All of them outlive a crash once this returns. `texts`: by path below
/// `folder`.
Result<bool> write_files(const std::string& folder,
                         const std::map<std::string, std::string>& texts);

/// A new file that its owner alone can read.
Result<bool> write_private_file(const std::string& path, const std::string& text);

} // namespace polecat::runtime
