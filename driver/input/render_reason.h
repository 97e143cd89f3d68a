/// Why helm or kustomize failed, out of what it printed.
#pragma once

#include <string>

namespace polecat::driver {

/// The innermost cause in one line, without warnings, prefixes of logs and the chain of folders
/// that lead to it.
std::string reason_in(const std::string& printed);

/// What it needs is kept from it (network, plugins) or has to be fetched first: no fault of what it
/// was to render.
bool is_kept_back(const std::string& reason);

} // namespace polecat::driver
