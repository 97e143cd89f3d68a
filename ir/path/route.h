/// The hops of a flow whose ends are settled. For ir/path only.
#pragma once

#include "ir/path/path.h"

namespace polecat::ir {

/// A service's address, or a node's port, in front of a backend.
struct Translation {
    enum class Via : std::uint8_t {
        ClusterAddress,
        NodePort,
        ExternalAddress, ///< externalIPs: on any node
        LoadBalancer,    ///< which sends to nodes that answer
        HostPort,        ///< of a pod
    };
    std::optional<net::Address> front; ///< absent: no manifest gives it
    std::uint16_t port = 0;            ///< the backend's
    Via via = Via::ClusterAddress;
    std::optional<std::string> node; ///< set: through a port of this node
    /// externalTrafficPolicy, or for cluster addresses internalTrafficPolicy, is Local.
    bool only_local = false;
    std::vector<std::string> backend_nodes; ///< of all backends; "": not known where
    std::string service;                    ///< "shop/web"
    std::vector<net::Family> families;      ///< that the service is of; empty: any
    std::optional<Reason> note;             ///< why the packet gets here, where that may surprise
};

/// Adds the ways from query.source to query.destination in query.family (given).
void add_routes(const decision::LoweredCluster& cluster, const PathQuery& query,
                const std::optional<Translation>& translation, std::vector<Path>& out);

} // namespace polecat::ir
