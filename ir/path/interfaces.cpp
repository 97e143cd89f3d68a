#include "ir/path/interfaces.h"

#include <algorithm>
#include <set>

namespace polecat::ir {

using decision::Endpoint;
using decision::LoweredCluster;

namespace {

bool share(const std::vector<net::Address>& a, const std::vector<net::Address>& b) {
    return std::any_of(a.begin(), a.end(), [&](const net::Address& each) {
        return std::find(b.begin(), b.end(), each) != b.end();
    });
}

} // namespace

NodeInterfaces interfaces_of(const LoweredCluster& cluster, const std::string& node) {
    NodeInterfaces out;
    // By name: of two for the same interface, Felix takes the first.
    for (const auto& [name, id] : cluster.host_endpoints_by_name) {
        const Endpoint* endpoint = cluster.endpoint_of(id);
        if (endpoint == nullptr || endpoint->node != node)
            continue;
        if (endpoint->interface_name == "*") {
            if (!out.wildcard)
                out.wildcard = id;
            continue;
        }
        const auto& addresses = cluster.world.object(id).addresses;
        const auto same = [&](const NodeInterfaces::Interface& each) {
            if (each.name == endpoint->interface_name && !each.name.empty())
                return true;
            return (each.name.empty() || endpoint->interface_name.empty()) &&
                   share(each.addresses, addresses);
        };
        if (std::none_of(out.named.begin(), out.named.end(), same))
            out.named.push_back({id, endpoint->interface_name, addresses});
    }
    return out;
}

std::vector<std::string> distinct_nodes(const LoweredCluster& cluster, const NodeTrait& trait) {
    std::vector<std::string> names;
    for (const decision::NodeInfo& node : cluster.nodes)
        names.push_back(node.name);
    for (const auto& [name, id] : cluster.host_endpoints_by_name)
        if (const Endpoint* endpoint = cluster.endpoint_of(id); endpoint != nullptr)
            names.push_back(endpoint->node);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());

    std::vector<std::string> out;
    std::set<std::pair<std::vector<decision::GroupId>, std::vector<decision::Tri>>> seen;
    for (const std::string& name : names) {
        const NodeInterfaces interfaces = interfaces_of(cluster, name);
        std::vector<decision::GroupId> groups;
        for (const NodeInterfaces::Interface& each : interfaces.named)
            groups.push_back(cluster.endpoint_of(each.host_endpoint)->group);
        if (interfaces.wildcard) {
            groups.push_back(decision::GroupId{UINT32_MAX}); // a mark: what follows is "*"
            groups.push_back(cluster.endpoint_of(*interfaces.wildcard)->group);
        }
        if (seen.emplace(std::move(groups), trait(name)).second)
            out.push_back(name);
    }
    return out;
}

} // namespace polecat::ir
