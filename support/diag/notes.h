/// What a report for people does with notes: a report of which every line is worth reading lists
/// few of them. Formats for programs have each finding.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "support/diag/diagnostic.h"

namespace polecat::diag {

enum class Shown : std::uint8_t {
    Listed,  ///< one by one, with its lines of the manifest: all errors and warnings
    Summed,  ///< a fact about the input as a whole: a line a rule
    Counted, ///< advice, and what most people mean so: a number
};
Shown shown_as(const Diagnostic& finding);

/// The findings that are listed, in their order. What lies in tests and archives (a folder `tests`,
/// `fixtures`, `archive` and the like) is applied by nobody, or broken on purpose: it is counted,
/// unless nothing else was read.
std::vector<Diagnostic> listed_of(std::span<const Diagnostic> list, const Sources& sources);

/// The lines for the others; empty where there are none.
std::string closing_lines(std::span<const Diagnostic> list, const Sources& sources);

} // namespace polecat::diag
