#include "ir/path/host_network.h"

#include "ir/path/interfaces.h"

namespace polecat::ir {

using decision::LoweredCluster;
using decision::ObjectId;

HostNetwork::HostNetwork(const LoweredCluster& cluster) : cluster_(cluster) {}

HostNetwork::Governor HostNetwork::governor(ObjectId object, decision::Direction direction,
                                            net::Family family) {
    const decision::Endpoint* endpoint = cluster_.endpoint_of(object);
    if (endpoint == nullptr || !endpoint->host_network)
        return {cluster_.find_at_end(object, direction, family), object, false};
    const Node& node = node_of(endpoint->node);
    if (!node.host_endpoint)
        return {nullptr, std::nullopt, node.unsure};
    return {cluster_.find_at_end(*node.host_endpoint, direction, family), node.host_endpoint,
            false};
}

const HostNetwork::Node& HostNetwork::node_of(const std::string& name) {
    const auto [place, added] = nodes_.try_emplace(name);
    Node& node = place->second;
    if (!added)
        return node;
    if (name.empty()) { // any node, also one without host endpoints
        node.unsure = !cluster_.host_endpoints_by_name.empty();
        return node;
    }
    const NodeInterfaces interfaces = interfaces_of(cluster_, name);
    std::vector<ObjectId> all;
    for (const NodeInterfaces::Interface& each : interfaces.named)
        all.push_back(each.host_endpoint);
    if (interfaces.wildcard)
        all.push_back(*interfaces.wildcard);
    for (const ObjectId each : all)
        node.unsure = node.unsure ||
                      cluster_.endpoint_of(each)->group != cluster_.endpoint_of(all.front())->group;
    if (!all.empty() && !node.unsure)
        node.host_endpoint = all.front();
    return node;
}

} // namespace polecat::ir
