/// The parser of Calico's selector language: small, by hand, quick. The ANTLR grammar
/// grammar/Selector.g4 defines the language and is this parser's oracle in the tests.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "ir/selector/selector.h"
#include <optional>

namespace polecat::frontend {

struct SelectorError {
    std::size_t offset = 0; ///< byte in the text
    std::string message;    ///< what stands there and what was expected
};

/// Parses `text`; on failure returns nullopt and fills `error` when given.
/// Blank text is all(). Bounded: nesting beyond kMaxSelectorDepth is refused, not a crash.
std::optional<selector::Selector> parse_selector(std::string_view text,
                                                 SelectorError* error = nullptr);

inline constexpr std::size_t kMaxSelectorDepth = 250;

} // namespace polecat::frontend
