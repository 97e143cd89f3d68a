/// Which kernel routes and announcements two versions differ in. Private to analyzer/routing.
#pragma once

#include "analyzer/routing/diff/routing_diff.h"

namespace polecat::routing {

/// Adds to `routes`, `announcements` and `not_compared`.
void add_route_changes(const RoutingVersion& before, const RoutingVersion& now, net::Family family,
                       RoutingDiff& into);

} // namespace polecat::routing
