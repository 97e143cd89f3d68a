/// What the FabricInventory says about a cluster's neighbours and nodes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/policy/cluster.h"
#include "ir/routing/cluster.h"

namespace polecat::routing {

class Fabric {
  public:
    Fabric(const policy::Cluster& cluster, const ClusterRouting& routing);

    struct Router {
        const policy::FabricRouter* router = nullptr;
        std::string inventory; ///< "FabricInventory hall-1"
    };
    bool has_routers() const { return !at_.empty(); }
    /// Those with the address: of the node's rack, if there are any; otherwise all.
    std::vector<Router> routers(const net::Address& address, NodeIndex node) const;
    /// The first that selects the node; nullptr: none.
    const policy::FabricRack* rack(NodeIndex node) const { return racks_[node]; }

  private:
    std::map<net::Address, std::vector<Router>> at_;
    std::vector<const policy::FabricRack*> racks_; ///< by node
};

/// Its name; without one its address.
std::string title(const policy::FabricRouter& router);

} // namespace polecat::routing
