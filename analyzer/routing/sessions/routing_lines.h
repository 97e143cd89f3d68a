/// The lines that say what a routing form has. Private to analyzer/routing.
#pragma once

#include <map>
#include <string>

#include "ir/policy/cluster.h"
#include "ir/routing/cluster.h"

namespace polecat::routing {

class RoutingLines {
  public:
    explicit RoutingLines(const policy::Cluster& cluster);

    /// "BGPPeer tor" at `field`, where it has that; otherwise `origin`.
    Origin field(const Origin& origin, std::string_view field) const;
    /// Where the AS number of a node is given: its own, or the cluster's. Empty: Calico's default.
    Origin as_of(const BgpNode& node) const;

  private:
    std::map<std::string, const policy::OtherObject*, std::less<>> objects_;
    std::map<std::string, Span, std::less<>> own_as_; ///< by node
};

} // namespace polecat::routing
