/// Patterns of file names: `*` and `?` stay within a folder, `**` goes through folders.
#pragma once

#include <string_view>

namespace polecat {

/// True when the pattern means `path` ("/" between folders, relative to where the pattern stands)
/// or a folder above it. A pattern without `/` means a name at any depth.
bool glob_matches(std::string_view pattern, std::string_view path);

} // namespace polecat
