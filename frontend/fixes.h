/// Applies the fixes that findings carry to the texts they were read from.
#pragma once

#include <string>
#include <vector>

#include "support/diag/diagnostic.h"
#include "support/source.h"

namespace polecat::frontend {

/// A file with fixes applied. Every other byte is as it was.
struct FixedFile {
    FileId file;
    std::string text;
    std::vector<diag::Diagnostic> mended; ///< the findings whose fixes are in the text
};

struct RefusedFix {
    diag::Diagnostic finding;
    std::string why;
};

struct Fixes {
    std::vector<FixedFile> files;
    std::vector<RefusedFix> refused;
};

/// The first fix of each finding that has one. Of fixes that overlap the first is applied; the
/// others wait for the next round. A fix is refused where the text does not read as the fix
/// expects, and in files where one place of the text counts in several.
Fixes apply_fixes(const std::vector<diag::Diagnostic>& findings, const Sources& sources);

} // namespace polecat::frontend
