/// Rules that never decide at any endpoint that could exist: over all sets of labels, all addresses
/// and all packets, whatever endpoints and network sets there are. Says nothing where it is not
/// sure, or where the work would be too much.
#pragma once

#include <map>
#include <vector>

#include "analyzer/effects/effects.h"
#include "ir/decision/policy_rules.h"

namespace polecat::analyzer {

/// The rules that are covered, with those that take their flows, in order.
std::map<RuleKey, std::vector<RuleKey>> covered_everywhere(const decision::PolicyRules& policies);

} // namespace polecat::analyzer
