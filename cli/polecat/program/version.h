/// What `polecat --version` says.
#pragma once

#include <string>

namespace polecat::cli {

/// The version, the commit where there was one, and what the program was built with.
std::string version_text();

} // namespace polecat::cli
