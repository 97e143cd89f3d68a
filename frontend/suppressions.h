/// Finds the suppressions that manifests hold: comments and annotations.
#pragma once

#include <vector>

#include "ir/policy/suppression.h"
#include "support/source.h"

namespace polecat::frontend {

/// Of every file in `sources`, in their order. What does not scan as YAML has none.
std::vector<policy::Suppression> read_suppressions(const Sources& sources);

} // namespace polecat::frontend
