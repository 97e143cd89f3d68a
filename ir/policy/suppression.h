/// What the author of a manifest says of findings: they are meant so.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "support/source.h"

namespace polecat::policy {

/// A position in a file, counted as in spans.
struct Position {
    std::uint32_t line = 0, column = 0;
    auto operator<=>(const Position&) const = default;
};

/// A comment `# polecat:ignore ...` or an annotation `polecat.io/ignore`.
struct Suppression {
    bool annotation = false;
    Span span;        ///< of the comment, or of the annotation's value
    std::string text; ///< what follows `polecat:ignore`, or the value
    /// It speaks of what stands from `begin` to before `end`; of nothing when they are equal.
    Position begin, end;
};

} // namespace polecat::policy
