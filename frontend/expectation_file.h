/// Reads expectation files of `polecat test`: PolicyTest and PolicyDiffTest (docs/policytest.md).
#pragma once

#include <string>
#include <vector>

#include "frontend/yaml/node.h"
#include "ir/expectation.h"
#include "support/diag/diagnostic.h"

namespace polecat::frontend {

/// Every expectation in the documents; documents of other kinds are reported. What can't be
/// understood is reported, and the file is then not to be judged.
std::vector<expectation::Document> read_expectations(const std::vector<yaml::Document>& documents,
                                                     diag::Diagnostics& diagnostics);

} // namespace polecat::frontend
