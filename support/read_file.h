/// The bytes of a file.
#pragma once

#include <string>

#include "support/result.h"

namespace polecat {

/// Whole, or why not: "it can't be opened".
Result<std::string> read_file(const std::string& path);

} // namespace polecat
