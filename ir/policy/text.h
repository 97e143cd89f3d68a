/// Policies as lines: one for the policy, one for each rule, every field that says something. Equal
/// text, equal meaning: for comparing.
#pragma once

#include <string>

#include "ir/policy/objects.h"

namespace polecat::policy {

std::string to_text(const Rule& rule);
std::string to_text(const Policy& policy);

} // namespace polecat::policy
