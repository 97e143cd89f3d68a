#include "analyzer/routing/sessions/fabric.h"

#include <algorithm>

namespace polecat::routing {

Fabric::Fabric(const policy::Cluster& cluster, const ClusterRouting& routing)
    : racks_(routing.nodes.size()) {
    for (const policy::FabricInventory& inventory : cluster.inventories) {
        for (const policy::FabricRouter& router : inventory.routers)
            at_[router.address.value].push_back(
                {&router, "FabricInventory " + inventory.meta.name});
        for (const policy::FabricRack& rack : inventory.racks)
            for (NodeIndex i = 0; rack.node_selector && i < racks_.size(); ++i)
                if (racks_[i] == nullptr &&
                    rack.node_selector->parsed.matches(routing.nodes[i].labels))
                    racks_[i] = &rack;
    }
}

std::vector<Fabric::Router> Fabric::routers(const net::Address& address, NodeIndex node) const {
    const auto found = at_.find(address);
    if (found == at_.end())
        return {};
    std::vector<Router> near;
    for (const Router& each : found->second) {
        const auto& rack = each.router->rack; // without one it serves all
        if (!rack || (racks_[node] != nullptr && racks_[node]->name.value == rack->value))
            near.push_back(each);
    }
    return near.empty() ? found->second : near;
}

std::string title(const policy::FabricRouter& router) {
    return router.name.empty() ? net::to_string(router.address.value) : router.name;
}

} // namespace polecat::routing
