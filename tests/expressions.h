#pragma once
// std::regex for all tests: compiling its templates takes 2 s for each object that has them.
#include <cstddef>
#include <string>
#include <vector>

namespace polecat::testing {

struct Match {
    std::size_t at = 0;
    std::vector<std::string> groups; ///< the first is all of it; empty where one took no part

    const std::string& operator[](std::size_t group) const { return groups[group]; }
};

/// From left to right.
std::vector<Match> matches(const std::string& text, const std::string& expression);
bool is_match(const std::string& whole, const std::string& expression);
std::string replaced(const std::string& text, const std::string& expression, const std::string& by);

} // namespace polecat::testing
