/// Applies the fixes that findings carry to the texts they were read from.
#pragma once

#include <string>
#include <vector>

#include "support/diag/diagnostic.h"
#include "support/source.h"

namespace polecat::frontend {

/// So many lines are new behind that line.
struct NewLines {
    std::uint32_t behind, count;
};

/// A file with fixes applied. Every other byte is as it was.
struct FixedFile {
    FileId file;
    std::string text;
    std::vector<diag::Diagnostic> mended; ///< the findings whose fixes are in the text
    std::vector<NewLines> new_lines = {}; ///< from the last to the first
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
/// Of additions at one place the first is made; the others wait too.
Fixes apply_fixes(const std::vector<diag::Diagnostic>& findings, const Sources& sources);

/// Gives additions their place and their text, for reports that list fixes. What has no place is
/// no fix and goes.
void place_additions(diag::Diagnostics& findings, const Sources& sources);

} // namespace polecat::frontend
