/// Files of kuttl and chainsaw that a test compares the cluster with, or changes it by: they hold
/// parts of objects, and are no manifests.
#pragma once

#include <string>
#include <vector>

#include "frontend/discover.h"

namespace polecat::frontend {

/// Why such a file is no manifest of its own.
inline constexpr const char* kAssertion = "what a test of kuttl or chainsaw compares with";

/// Writes kAssertion into `parts` for each file that is one.
void mark_assertions(const std::vector<File>& files, std::vector<std::string>& parts);

} // namespace polecat::frontend
