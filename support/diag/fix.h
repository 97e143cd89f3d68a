/// Making and applying the changes that diagnostics carry.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "support/diag/diagnostic.h"

namespace polecat::diag {

/// Writes `to` for `text`, which was read from a scalar at `span`. Quotes around it stay. Nothing
/// where the scalar is not spelt as it reads (escapes, an anchor, several lines).
std::optional<Fix> replace_text(const Span& span, const std::string& text, const std::string& to,
                                const std::string& description);

/// Puts quotes around a plain scalar of letters, digits and the signs of numbers.
std::optional<Fix> quote_text(const Span& span, const std::string& text);

} // namespace polecat::diag
