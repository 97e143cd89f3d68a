/// The lines that say what a routing form has. Private to analyzer/routing.
#pragma once

#include <map>
#include <string>

#include "ir/policy/cluster.h"
#include "ir/routing/cluster.h"

namespace polecat::analyzer {

class RoutingLines {
  public:
    RoutingLines(const policy::Cluster& cluster, const routing::ClusterRouting& routing);

    /// "BGPPeer tor" at `field`, or at the object without it; otherwise `origin`.
    routing::Origin field(const routing::Origin& origin, std::string_view field) const;
    /// Where the AS number of a node is given: its own, or the cluster's.
    routing::Origin as_of(const routing::BgpNode& node) const;

  private:
    const routing::ClusterRouting& routing_;
    std::map<std::string, const policy::OtherObject*, std::less<>> objects_;
    std::map<std::string, Span, std::less<>> own_as_; ///< by node
};

} // namespace polecat::analyzer
