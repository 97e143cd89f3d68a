/// Upper and lower case, of ASCII letters alone: what names and keywords of manifests are made of.
#pragma once

#include <string>
#include <string_view>

namespace polecat {

char lower_case(char c);
std::string lower_case(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);

} // namespace polecat
