/// The steps of `polecat lint` between reading and printing.
#pragma once

#include "cli/common/input.h"
#include "cli/common/lint_config.h"

namespace polecat::cli {

struct Checked {
    bool loads = true;          ///< false: errors of reading; the rules of lint did not run
    std::size_t suppressed = 0; ///< findings that manifests say are meant so
};

/// Runs the rules on what was read, then suppressions, then what the user chose.
Checked check_input(Input& input, const LintConfig& config);

} // namespace polecat::cli
