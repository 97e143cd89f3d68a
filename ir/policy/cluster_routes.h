/// Which of Felix and BIRD makes the routes to pods of other nodes, as the input says.
/// Sources: design/cluster-route-programming/DESIGN.md, felix/wireguard.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ir/net/address.h"
#include "ir/policy/cluster.h"

namespace polecat::policy {

/// Classes of pools as programClusterRoutes names them. VXLAN is Felix's always.
struct RouteClasses {
    bool ipip = false;
    bool plain = false; ///< without encapsulation
};

/// Where it is said who makes the routes, in words of programClusterRoutes.
struct RouteOwner {
    std::string value; ///< "EnabledIPIPOnly"
    std::string object;
    Span span;

    RouteClasses classes() const;
};

/// BIRD's: programClusterRoutes of BGPConfiguration, or what the operator writes there for the
/// clusterRoutingMode of its Installation. nullopt: not said, the default of Calico's release.
std::optional<RouteOwner> routes_of_bird(const Cluster& cluster);

/// Felix's on a node, by its environment, its own FelixConfiguration or the one of all; and what
/// clusterRoutingMode gives it: where they disagree, whatever Felix may make. nullopt: not said.
std::optional<RouteClasses> routes_of_felix(const Cluster& cluster, std::string_view node = {});

/// Whether Felix is told to use WireGuard on the node.
bool has_wireguard_on(const Cluster& cluster, std::string_view node, net::Family family);

} // namespace polecat::policy
