/// Policies as lines: one for the policy, one for each rule, every field that says something. Equal
/// text, equal meaning: for comparing.
#pragma once

#include <string>

#include "ir/policy/objects.h"

namespace polecat::policy {

std::string to_text(const Rule& rule);
std::string to_text(const Policy& policy);
/// Whether the texts are equal, which are not written for it.
bool same_text(const Policy& a, const Policy& b);

} // namespace polecat::policy
