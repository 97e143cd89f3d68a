/// Why helm or kustomize failed, out of what it printed.
#pragma once

#include <string>

namespace polecat::driver {

/// The innermost cause in one line, without warnings, prefixes of logs and the chain of folders
/// that lead to it.
std::string reason_in(const std::string& printed);

/// The same of folders that fail alike, each at a file of its own.
std::string kind_of_reason(const std::string& reason);

/// What it needs is kept from it (network, plugins) or has to be fetched first: no fault of what it
/// was to render.
bool is_kept_back(const std::string& reason);

} // namespace polecat::driver
