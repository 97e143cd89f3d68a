/// The steps of `polecat lint` between reading and printing.
#pragma once

#include <functional>
#include <optional>

#include "driver/input/input.h"
#include "driver/lint/config.h"

namespace polecat::driver {

struct Checked {
    bool loads = true;          ///< false: errors of reading; what they are of is not known
    bool ran = true;            ///< false: there is nothing that the rules of lint could look at
    std::size_t suppressed = 0; ///< findings that manifests say are meant so
    std::size_t known = 0;      ///< findings of the baseline
    std::optional<Baseline> baseline; ///< to be written, when that was asked for and `loads`
};

/// May change the settings once the cluster is lowered; empty: nothing to do.
using Prepare = std::function<void(const policy::OrderedPolicies&, const decision::LoweredCluster&,
                                   lint::Settings&)>;

/// Runs the rules on what was read, then suppressions, the baseline, and what the user chose.
Checked check_input(Input& input, const LintConfig& config, const Prepare& prepare = {});

} // namespace polecat::driver
