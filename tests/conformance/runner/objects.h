/// Objects that JSON suites hold, loaded as if they stood in a file.
#pragma once

#include <string>

#include "frontend/load.h"

namespace polecat::conformance {

struct LoadedText {
    Sources sources;
    diag::Diagnostics diagnostics;
    policy::Cluster cluster;
};

/// Reads one manifest (JSON or YAML text).
LoadedText load_text(const std::string& text);

/// The first error as one line; empty when there is none.
std::string first_error(const LoadedText& loaded);

std::string suite_file(const std::string& path);

} // namespace polecat::conformance
