/// What a change of manifests does to BGP and to the kernels' routes: `polecat diff`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/routing/propagation/propagation_classes.h"
#include "analyzer/routing/sessions/sessions.h"

namespace polecat::routing {

/// One of the two versions. What it refers to must outlive it.
struct RoutingVersion {
    const policy::Cluster& cluster;
    const ClusterRouting& routing;
    const std::vector<NodeRouting>& nodes; ///< those that are not refused, the mesh left out
    LowerNode lower;
};

enum class SessionChangeKind : std::uint8_t { Comes, Goes, Differs };
std::string_view to_string(SessionChangeKind kind); ///< "comes", "goes", "differs"

/// Configured sessions that change alike.
struct SessionChange {
    SessionChangeKind kind = SessionChangeKind::Comes;
    net::Family family = net::Family::V4;
    std::string node, neighbor; ///< the first, as an example
    std::uint64_t sessions = 0;
    std::string what; ///< "AS of the neighbour 65117 -> 65106", "AS 64512 with AS 65117"
    /// The other end is in no manifest, so that nobody can say whether it agrees.
    bool neighbor_unknown = false;
    std::optional<Origin> before, now; ///< nullopt: not in that version
    /// Of an end, the node whose own manifest changed: its line, where it is gone that before.
    std::optional<Origin> node_line;
    bool node_gone = false;
};

/// Prefixes that a router of the fabric hears of anew, or no longer.
struct AnnouncementChange {
    bool announced = false; ///< otherwise withdrawn
    std::string router;     ///< "tor-7 (10.0.7.1)"
    std::vector<net::Cidr> prefixes;
    std::string node;   ///< that announces one of them, as an example
    std::string reason; ///< "pool 10.1.0.0/16", "the session does not establish"
    Origin origin;
    bool origin_before = false; ///< it stands in the version before
};

/// A rule for routes: of a filter, a pool, a range, a node.
struct RuleChange {
    std::string about;       ///< "rule 2 of importV4 of BGPFilter f"
    std::string before, now; ///< "rejects in 10.0.0.0/8"; empty: not in that version
    Origin before_origin, now_origin;
};

enum class RouteChangeKind : std::uint8_t { Gained, Lost, Device, NextHops };
std::string_view to_string(RouteChangeKind kind); ///< "gained", "lost", "device", "next-hops"

/// Kernel routes that change alike.
struct RouteChange {
    RouteChangeKind kind = RouteChangeKind::Lost;
    net::Family family = net::Family::V4;
    std::vector<net::Cidr> prefixes;
    std::vector<std::string> nodes; ///< with a change for one of the prefixes or more
    std::uint64_t routes = 0;
    /// Of the first node and prefix: "via 10.0.7.1", "via 10.0.0.3 through tunl0", "no route".
    std::string node, before, now;
    net::Cidr prefix;
    Origin before_origin, now_origin;
};

struct RoutingDiff {
    std::vector<SessionChange> sessions;
    std::vector<SessionFault> breaks; ///< surely not established now, and were or did not exist
    std::vector<SessionFault> mends;  ///< the other way round
    std::vector<RuleChange> rules;
    std::vector<AnnouncementChange> announcements;
    std::vector<RouteChange> routes;
    /// Routes were not compared: too many kinds of nodes, or a model that does not settle.
    std::vector<std::string> not_compared;
    /// Some router is in no inventory: taken to agree, and to pass everything on.
    bool routers_assumed = false;

    bool empty() const {
        return sessions.empty() && breaks.empty() && mends.empty() && rules.empty() &&
               announcements.empty() && routes.empty();
    }
};

RoutingDiff routing_diff(const RoutingVersion& before, const RoutingVersion& now);

} // namespace polecat::routing
