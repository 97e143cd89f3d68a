/// Regular expressions in the syntax of Go's regexp (RE2), which is what Calico checks values with.
/// Linear in the text, whatever the text is.
#pragma once

#include <string_view>
#include <vector>

namespace polecat::frontend {

/// True when the whole of `text` has the form `pattern`, which must be a valid expression.
bool has_form(std::string_view text, std::string_view pattern);

/// The same, with what the groups of the pattern matched; empty: it does not have the form.
std::vector<std::string_view> parts_of(std::string_view text, std::string_view pattern);

/// Can `text` be used as an expression?
bool is_pattern(std::string_view text);

} // namespace polecat::frontend
