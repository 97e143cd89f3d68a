/// Who speaks BGP with whom, and which sessions will not establish: `polecat bgp sessions`.
/// Sessions that are alike are one group, so that a mesh of any size is a line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/policy/cluster.h"
#include "ir/routing/cluster.h"

namespace polecat::analyzer {

/// Sessions of one BGPPeer (or of the mesh) that are alike, as one side sees them.
struct SessionGroup {
    routing::SessionKind kind = routing::SessionKind::Mesh;
    net::Family family = net::Family::V4;
    bool implied = false; ///< the BGPPeer is for the other end, which makes this one peer back
    net::AsNumber local_as = 0, neighbor_as = 0;
    std::optional<net::Address> reflector_cluster; ///< the neighbours are this one's clients
    bool to_reflector = false;                     ///< the neighbours have a cluster ID
    std::vector<std::string> import_filters, export_filters;
    std::optional<std::uint8_t> ttl_security_hops;
    bool password = false;
    std::uint64_t sessions = 0, passive = 0; ///< this many sides; that many only listen
    std::uint64_t nodes = 0;
    std::string node, neighbor; ///< the first of each, as an example
    routing::Origin origin;

    bool is_internal() const { return local_as == neighbor_as; }
};

enum class SessionFaultKind : std::uint8_t {
    AsDisagrees,        ///< one end expects another number than the other shows
    NotBack,            ///< the other end is a node that has no session for it
    NobodyCalls,        ///< both ends only listen, or call a port where nobody does
    TtlOneSide,         ///< TTL security at one end
    PasswordOneSide,    ///< a password at one end
    InventoryDisagrees, ///< the router has another number
    RouterExpects,      ///< the router expects another number of the node
};
std::string_view to_string(SessionFaultKind kind); ///< "as-disagrees", "not-back", ...

/// Sessions that will not establish for one reason.
struct SessionFault {
    SessionFaultKind kind = SessionFaultKind::AsDisagrees;
    std::string reason;         ///< of the first
    std::string node, neighbor; ///< the first
    std::uint64_t sessions = 0;
    routing::Origin here, there; ///< the lines of both sides
};

struct SessionReport {
    std::vector<SessionGroup> groups;
    std::vector<SessionFault> faults;
    std::uint64_t sessions = 0;   ///< each once, whether one end makes it or both
    std::uint64_t mesh_nodes = 0; ///< of the larger family; 0: no mesh
    std::uint64_t mesh_sessions = 0;

    /// Sessions with three reflectors instead of the mesh.
    std::uint64_t with_reflectors() const { return 3 * (mesh_nodes - 3) + 3; }
    bool advises_reflectors() const { return mesh_nodes > 100; }
};

/// `nodes`: the forms of all nodes with the mesh left out, which is counted rather than listed.
/// `only`: sessions of that node, one group each.
SessionReport sessions(const policy::Cluster& cluster, const routing::ClusterRouting& routing,
                       const std::vector<routing::NodeRouting>& nodes,
                       std::optional<routing::NodeIndex> only = std::nullopt);

} // namespace polecat::analyzer
