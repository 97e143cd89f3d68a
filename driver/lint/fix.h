/// `polecat lint --fix`: mends what has a machine-applicable fix, and keeps only what holds.
#pragma once

#include <string>
#include <vector>

#include "driver/lint/run.h"

namespace polecat::driver {

struct Mended {
    /// A file whose text is another now.
    struct File {
        std::string path, before, after;
        std::size_t findings = 0; ///< that are gone
    };
    std::vector<File> files;
    std::vector<std::string> refused; ///< "a.yaml:3:5: PC1006: why the fix was not applied"
};

/// Applies the fixes of the findings in `input`, which check_input() has seen, in rounds until none
/// is left. A changed file is kept only when it loads as well as before and the findings are gone.
/// Afterwards `input` holds the mended texts and what is still found in them. Writes nothing.
Mended mend(Input& input, const LintConfig& config);

/// Why these files can't be mended: standard input. Else empty.
std::string cannot_mend(const Sources& sources);

/// "3 of 5 findings mended in 2 files; 1 has no fix, 1 has one that was refused".
std::string mend_summary(const Mended& mended, std::size_t left);

} // namespace polecat::driver
