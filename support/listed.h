/// Names for a sentence.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace polecat {

/// "a, b, c and 4 more": at most `most` names, in the order given.
std::string listed(const std::vector<std::string>& names, std::size_t most = 3);

} // namespace polecat
