/// Replaces a file that a user asked to have changed.
#pragma once

#include <string>

#include "support/result.h"

namespace polecat::runtime {

/// Writes `text` over the file, all of it or nothing: a temporary file in the same folder is synced
/// and renamed. Mode and owner stay; a symbolic link is followed and stays a link. Refused when the
/// file is not a regular one, has other hard links (they would keep the old text), or no longer
/// reads `before`.
Result<bool> replace_file(const std::string& path, const std::string& before,
                          const std::string& text);

/// The same for a file of the program's own, which may be new, a device or a pipe.
Result<bool> write_file(const std::string& path, const std::string& text);

} // namespace polecat::runtime
