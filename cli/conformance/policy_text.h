/// Policies as lines: one for the policy, one for each rule, every field that says something. Equal
/// text, equal meaning: how the conversion suite compares.
#pragma once

#include <string>

#include "ir/policy/objects.h"

namespace polecat::conformance {

std::string to_text(const policy::Rule& rule);
std::string to_text(const policy::Policy& policy);

} // namespace polecat::conformance
