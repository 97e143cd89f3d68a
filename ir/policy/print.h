/// Policies as text: one line for the policy, one for each rule, every field that says something.
/// Equal text, equal meaning. What `polecat compile --emit policy-ir` shows.
#pragma once

#include <string>

#include "ir/policy/objects.h"

namespace polecat::policy {

std::string to_text(const Rule& rule);
std::string to_text(const Policy& policy);

} // namespace polecat::policy
