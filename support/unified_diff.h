/// Two texts as a patch.
#pragma once

#include <string>
#include <string_view>

namespace polecat {

/// What `git apply` and `patch -p1` take: `path` with a/ and b/ before it, three lines around each
/// change. Line ends are part of the lines. Empty when the texts are equal.
std::string unified_diff(std::string_view path, std::string_view before, std::string_view after);

} // namespace polecat
