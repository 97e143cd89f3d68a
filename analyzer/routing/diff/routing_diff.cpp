#include "analyzer/routing/diff/routing_diff.h"

#include <algorithm>
#include <map>

#include "analyzer/routing/diff/route_changes.h"
#include "analyzer/routing/diff/rule_changes.h"
#include "analyzer/routing/diff/session_changes.h"
#include "analyzer/routing/sessions/routers.h"

namespace polecat::routing {

namespace {

/// Faults of `of` that `without` has not, or of fewer sessions.
std::vector<SessionFault> only_in(const std::vector<SessionFault>& of,
                                  const std::vector<SessionFault>& without) {
    std::map<std::pair<SessionFaultKind, std::string>, std::uint64_t> known;
    for (const SessionFault& each : without)
        known[{each.kind, each.reason}] += each.sessions;
    std::vector<SessionFault> out;
    for (SessionFault fault : of) {
        if (!fault.certain)
            continue;
        const std::uint64_t there = known[{fault.kind, fault.reason}];
        if (fault.sessions <= there)
            continue;
        fault.sessions -= there;
        out.push_back(std::move(fault));
    }
    return out;
}

} // namespace

std::string_view to_string(RouteChangeKind kind) {
    switch (kind) {
    case RouteChangeKind::Gained:
        return "gained";
    case RouteChangeKind::Lost:
        return "lost";
    case RouteChangeKind::Device:
        return "device";
    case RouteChangeKind::NextHops:
        return "next-hops";
    }
    return "";
}

RoutingDiff routing_diff(const RoutingVersion& before, const RoutingVersion& now) {
    RoutingDiff out;
    out.sessions = session_changes(before, now);
    const auto faults = [](const RoutingVersion& of) {
        return sessions(of.cluster, of.routing, of.nodes).faults;
    };
    const auto old = faults(before), fresh = faults(now);
    out.breaks = only_in(fresh, old);
    out.mends = only_in(old, fresh);
    out.rules = rule_changes(before, now);
    for (const net::Family family : {net::Family::V4, net::Family::V6})
        add_route_changes(before, now, family, out);
    for (const RoutingVersion* version : {&before, &now})
        out.routers_assumed = out.routers_assumed ||
                              !fabric_routers(version->cluster, version->nodes).assumed.empty();
    return out;
}

} // namespace polecat::routing
