/// How users steer `polecat lint`: `.polecat.yaml` and options, which win over it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyzer/lint/choice.h"
#include "driver/lint/baseline.h"
#include "support/diag/diagnostic.h"
#include "support/source.h"

namespace polecat::driver {

struct LintConfig {
    lint::Choice choice;
    lint::Settings settings;
    std::vector<std::string> exclude; ///< patterns, relative to `folder`
    std::string folder;               ///< of the file; empty: there is none
    std::string baseline_file;        ///< empty: there is none
    std::optional<Baseline> baseline; ///< read from it
    std::string write_baseline;       ///< where to; empty: not
    bool render = false;              ///< `render:`
    std::vector<std::string> values;  ///< of helm

    /// A file that was found in a folder and is not to be read.
    bool excludes(const std::string& path) const;
};

/// As given on the command line; empty: not given.
struct LintOptions {
    std::string config, fail_on, dataplane, calico_version, baseline, write_baseline;
    std::vector<std::string> rules; ///< SLUG=SEVERITY
    std::vector<std::string> only;
};

/// Reads `--config FILE`, or the `.polecat.yaml` of the current folder or the next above it that
/// has one. What is wrong with the file is reported.
LintConfig read_lint_config(const std::string& file, Sources& sources,
                            diag::Diagnostics& diagnostics);

/// Puts options over the configuration and reads the baseline. What is wrong, if anything.
std::optional<std::string> apply_options(const LintOptions& options, LintConfig& config);

} // namespace polecat::driver
