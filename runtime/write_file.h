/// Replaces a file that a user asked to have changed.
#pragma once

#include <cstdint>
#include <string>

#include "support/result.h"

namespace polecat::runtime {

enum class Sync : std::uint8_t {
    Yes, ///< the file outlives a crash of the machine that comes right after
    No,  ///< of what can be made again: many small files take much less time
};

/// Writes `text` over the file, all of it or nothing: a temporary file in the same folder is synced
/// and renamed. Mode and owner stay; a symbolic link is followed and stays a link. Refused when the
/// file is not a regular one, has other hard links (they would keep the old text), or no longer
/// reads `before`.
Result<bool> replace_file(const std::string& path, const std::string& before,
                          const std::string& text, Sync sync = Sync::Yes);

/// The same for a file of the program's own, which may be new, a device or a pipe.
Result<bool> write_file(const std::string& path, const std::string& text, Sync sync = Sync::Yes);

} // namespace polecat::runtime
