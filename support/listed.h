/// Names for a sentence.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace polecat {

/// "a, b, c and 4 more": at most `most` names, in the order given.
std::string listed(const std::vector<std::string>& names, std::size_t most = 3);

/// "1,450".
std::string grouped_digits(std::size_t number);
/// "1 error", "1,450 errors", "2 prefixes".
std::string counted(std::size_t number, std::string_view word);

} // namespace polecat
