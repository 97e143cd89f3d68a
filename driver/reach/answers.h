/// `polecat reach` between two ends: one answer for each kind of traffic, or everything at once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/reach/suggest.h"
#include "driver/routing/flow_routes.h"
#include "ir/expectation.h"
#include "ir/path/path.h"
#include "support/result.h"

namespace polecat::driver {

struct ReachAnswer {
    expectation::Traffic traffic;
    ir::FlowVerdict verdict;
    std::optional<Suggestion> suggestion;          ///< where one was asked for and it is denied
    std::optional<routing::MissingRoute> no_route; ///< where it is not denied
};

/// `traffic`: as asked; `query` has it as a packet.
ReachAnswer answer_of(const decision::LoweredCluster& cluster, const ir::PathQuery& query,
                      const expectation::Traffic& traffic, FlowRoutes& routes);

/// All that the policies of both ends let through in one IP family, in words.
struct ReachSummary {
    net::Family family = net::Family::V4;
    std::string allowed, depends;
    std::optional<routing::MissingRoute> no_route;
};

/// One for each family that both ends have. A node or a service has no list of its own.
Result<std::vector<ReachSummary>> everything_between(const decision::LoweredCluster& cluster,
                                                     const ir::PathQuery& query,
                                                     FlowRoutes& routes);

} // namespace polecat::driver
