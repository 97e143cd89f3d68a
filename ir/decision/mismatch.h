/// Why a rule does not match a flow, for people.
#pragma once

#include <string>
#include <vector>

#include "ir/decision/match.h"

namespace polecat::decision {

/// Every part of the match that does not hold, in words: "the source 10.0.0.3 is not in
/// 192.0.2.0/24", "the destination port 8080 is not among 443".
std::vector<std::string> failing_parts(const Match& match, const PredicateStore& predicates,
                                       const World& world, const Flow& flow);

} // namespace polecat::decision
