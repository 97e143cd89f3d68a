/// Which sessions two versions configure differently. Private to analyzer/routing.
#pragma once

#include "analyzer/routing/diff/routing_diff.h"

namespace polecat::routing {

/// The mesh is compared by its members: nobody lists its sessions.
std::vector<SessionChange> session_changes(const RoutingVersion& before, const RoutingVersion& now);

} // namespace polecat::routing
