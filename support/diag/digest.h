/// A report of many findings that a person reads to its end: what is to be mended first comes
/// first, equal findings stand once, and a table counts the rules.
#pragma once

#include <span>
#include <string>

#include "support/diag/render.h"

namespace polecat::diag {

/// Errors, then warnings, then notes; errors of reading before all others, since answers hang on
/// them. Findings of equal words are one, with the places of the others; of a rule that is no error
/// the first few are shown and the others counted. Notes are shown as notes.h says, unless
/// `every_note`.
std::string render_digest(std::span<const Diagnostic> list, const Sources& sources,
                          TextOptions options = {}, bool every_note = false);

/// A line for each of the ten rules with the most findings. Empty where a look at the findings
/// tells as much.
std::string rule_counts(std::span<const Diagnostic> list);

} // namespace polecat::diag
