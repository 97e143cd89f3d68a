/// Text that was read, made fit to show: nothing in it acts on a terminal, a log or a reader of
/// XML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace polecat::diag {

/// The characters of a line. Tabs are blanks; U+FFFD stands for control characters, for those that
/// change the direction of text and for each byte that is not UTF-8.
std::vector<std::string_view> characters(std::string_view line);

/// The same, in one piece.
std::string printable(std::string_view text);

} // namespace polecat::diag
