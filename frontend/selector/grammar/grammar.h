/// The selector language by its ANTLR grammar: slow, and the definition. Oracle of the quick parser
/// and explainer of rejected text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ir/selector/selector.h"

namespace polecat::frontend {

/// The tree that the grammar gives; nullopt: rejected.
std::optional<selector::Selector> parse_by_grammar(std::string_view text);

struct SelectorExplanation {
    std::size_t offset = 0; ///< byte at which the text stops making sense
    std::string expected;   ///< in the grammar's words
    std::string suggestion; ///< a selector that parses and was probably meant; empty: none found
};
/// Of a text that parse_selector() rejects.
SelectorExplanation explain_selector(std::string_view text);

} // namespace polecat::frontend
