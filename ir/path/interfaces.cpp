#include "ir/path/interfaces.h"

#include <algorithm>

namespace polecat::ir {

using decision::Endpoint;
using decision::LoweredCluster;

namespace {

bool share(const std::vector<net::Address>& a, const std::vector<net::Address>& b) {
    return std::any_of(a.begin(), a.end(), [&](const net::Address& each) {
        return std::find(b.begin(), b.end(), each) != b.end();
    });
}

/// One whose node could not be read may stand on any.
bool may_stand_on(const LoweredCluster& cluster, const Endpoint& endpoint,
                  const std::string& node) {
    return endpoint.node == node ||
           (endpoint.node.empty() && cluster.world.object(endpoint.object).unread.known());
}

} // namespace

NodeInterfaces interfaces_of(const LoweredCluster& cluster, const std::string& node) {
    NodeInterfaces out;
    // By name: of two for the same interface, Felix takes the first.
    for (const auto& [name, id] : cluster.host_endpoints_by_name) {
        const Endpoint* endpoint = cluster.endpoint_of(id);
        if (endpoint == nullptr || !may_stand_on(cluster, *endpoint, node))
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

} // namespace polecat::ir
