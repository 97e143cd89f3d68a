/// The flows of two clusters over the same ends, side by side: is one set within the other, do they
/// meet. Asked of all that is allowed, or of what policy allows: flows of which an end is governed.
#pragma once

#include "ir/decision/lowered.h"

namespace polecat::analyzer {

enum class FlowsOf : std::uint8_t {
    Everything, ///< allowed
    Policies,   ///< allowed, and policy governs the source's egress or the destination's ingress
};

struct WorldFlows {
    const decision::LoweredCluster& cluster;
    FlowsOf which = FlowsOf::Everything;
};

struct TwoWorlds {
    bool first_has_more = false;  ///< a flow of the first is none of the second
    bool second_has_more = false; ///< the other way round
    bool meet = false;            ///< some flow is one of both
    bool depends = false;         ///< some flow is not decided in one of them: nothing is sure

    bool same() const { return !first_has_more && !second_has_more; }
};

/// Over the endpoints that both have, by name, and all outside addresses. An endpoint and itself
/// are no pair, and what outside addresses send each other is nobody's.
TwoWorlds compare_worlds(const WorldFlows& first, const WorldFlows& second);

/// Whether a policy governs what the endpoint gets or sends; staged ones do not.
bool is_governed(const decision::LoweredCluster& cluster, decision::ObjectId object,
                 decision::Direction direction, net::Family family);

} // namespace polecat::analyzer
