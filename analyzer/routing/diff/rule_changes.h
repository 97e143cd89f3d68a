#pragma once

#include "analyzer/routing/diff/routing_diff.h"

namespace polecat::routing {

/// What differs in filters, pools, ranges and other rules for routes, whether or not a route of the
/// input meets them.
std::vector<RuleChange> rule_changes(const RoutingVersion& before, const RoutingVersion& now);

} // namespace polecat::routing
