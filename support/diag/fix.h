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

/// Adds `content` at `path` of the object that holds `inside`. See Addition.
Fix add_to_object(const Span& inside, const std::string& path, const std::string& content,
                  const std::string& description);
/// The same, with `path` from the innermost mapping that holds `inside` (or begins there).
Fix add_to_mapping(const Span& inside, const std::string& path, const std::string& content,
                   const std::string& description);

/// "fix: allow DNS (lint --fix)"; empty where there is none, or its place is not known.
std::string fix_line(const Diagnostic& finding);

/// Text for `content`: in double quotes unless every reader takes it for text without.
std::string content_word(const std::string& text);

/// Puts quotes around a plain scalar of letters, digits and the signs of numbers.
std::optional<Fix> quote_text(const Span& span, const std::string& text);

} // namespace polecat::diag
