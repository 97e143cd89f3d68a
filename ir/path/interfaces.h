/// Which host endpoint governs which interface of a node.
/// Source: felix/dataplane/linux/endpoint_mgr.go (resolveHostEndpoints).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/decision/lowered.h"

namespace polecat::ir {

/// The host endpoints that hold on a node. No manifest lists a node's interfaces: those that a host
/// endpoint names, or means by an address, are taken for the node's interfaces to the network.
struct NodeInterfaces {
    struct Interface {
        decision::ObjectId host_endpoint;
        std::string name;                    ///< empty: known by its addresses
        std::vector<net::Address> addresses; ///< expectedIPs
    };
    std::vector<Interface> named;
    /// `interfaceName: "*"`: every interface that has no host endpoint of its own, those of pods
    /// among them.
    std::optional<decision::ObjectId> wildcard;

    bool empty() const { return named.empty() && !wildcard; }
};

NodeInterfaces interfaces_of(const decision::LoweredCluster& cluster, const std::string& node);

} // namespace polecat::ir
