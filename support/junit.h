/// JUnit XML, the form that CI services read test results in.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace polecat::junit {

struct Case {
    enum class Outcome : std::uint8_t { Passed, Failed, Error };
    std::string name, classname, file;
    Outcome outcome = Outcome::Passed;
    std::string message; ///< in one line
    std::string text;    ///< the whole story
};

struct Suite {
    std::string name;
    std::vector<Case> cases;
};

/// No times: the output depends on the input only.
std::string to_xml(std::string_view name, std::span<const Suite> suites);

} // namespace polecat::junit
