/// Where a route goes no further, and why. Private to analyzer/routing.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analyzer/routing/propagation/exchange.h"
#include "analyzer/routing/routes/route_search.h"

namespace polecat::routing {

/// The first sessions over which a speaker that has the route does not bring it to one that has
/// not: those towards `at`, if there are any. `names`: of speakers that stand for others.
std::vector<MissingRoute::Step> stop_steps(const Network& network, const Spread& spread,
                                           std::optional<SpeakerIndex> at,
                                           const std::map<SpeakerIndex, std::string>& names);

} // namespace polecat::routing
