#include "ir/routing/cluster.h"

#include <algorithm>

namespace polecat::routing {

std::optional<NodeIndex> ClusterRouting::find(std::string_view node) const {
    const auto found = std::lower_bound(
        nodes.begin(), nodes.end(), node,
        [](const BgpNode& each, std::string_view name) { return each.name < name; });
    if (found == nodes.end() || found->name != node)
        return std::nullopt;
    return static_cast<NodeIndex>(found - nodes.begin());
}

bool listens(const net::Address& own, const net::Address& neighbor) {
    return net::to_string(neighbor) > net::to_string(own);
}

Session mesh_session(const ClusterRouting& cluster, const BgpNode& node, const BgpNode& neighbor,
                     net::Family family) {
    const NodeAddress &own = *node.of(family), &there = *neighbor.of(family);
    Session out;
    out.kind = SessionKind::Mesh;
    out.neighbor = there.address;
    out.port = cluster.port_of(neighbor);
    out.local_as = cluster.as_of(node);
    // A neighbour without a number of its own is taken to have this node's.
    out.neighbor_as = neighbor.own_as.value_or(out.local_as);
    out.source = own.address;
    out.passive = listens(own.address, there.address);
    out.max_restart_seconds = cluster.mesh_restart_seconds;
    out.password = cluster.mesh_password;
    out.notes.peer_node = neighbor.name;
    out.origin = there.origin;
    return out;
}

} // namespace polecat::routing
