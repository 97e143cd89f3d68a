/// Who speaks BGP with whom, and which sessions will not establish: `polecat bgp sessions`.
/// Sessions that are alike are one group, so that a mesh of any size is a line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/policy/cluster.h"
#include "ir/routing/cluster.h"

namespace polecat::routing {

/// Ends of one BGPPeer (or of the mesh) that are alike.
struct SessionGroup {
    SessionKind kind = SessionKind::Mesh;
    net::Family family = net::Family::V4;
    bool implied = false; ///< the BGPPeer is for the other end, which makes this one peer back
    net::AsNumber local_as = 0, neighbor_as = 0;   ///< of a mesh: of the first
    std::optional<net::Address> reflector_cluster; ///< the neighbours are this one's clients
    bool to_reflector = false;                     ///< the neighbours have a cluster ID
    std::vector<std::string> import_filters, export_filters;
    std::optional<std::uint8_t> ttl_security_hops;
    bool password = false;
    std::uint64_t ends = 0, passive = 0; ///< this many; that many of them only listen
    std::uint64_t dead = 0;              ///< of sessions that will not establish
    /// Never start: another session with the same neighbour comes before.
    std::uint64_t hidden = 0;
    std::uint64_t nodes = 0, neighbors = 0;
    std::uint64_t as_pairs = 1; ///< of AS numbers
    std::string node, neighbor; ///< the first of each, as an example
    Origin origin;

    bool is_internal() const { return local_as == neighbor_as; }
};

enum class SessionFaultKind : std::uint8_t {
    AsDisagrees,        ///< one end expects another number than the other shows
    NotBack,            ///< the other end is a node that has no session for it
    NobodyCalls,        ///< both ends only listen, or call a port where nobody does
    TtlOneSide,         ///< TTL security at one end
    PasswordOneSide,    ///< a password at one end
    PasswordsApart,     ///< a Secret at each end, which may differ
    NoAddress,          ///< the node has no address of the neighbour's family
    InventoryDisagrees, ///< the router has another number
    RouterExpects,      ///< the router expects another number of the node
    RouterUnknown,      ///< there is an inventory, and the neighbour is not in it
};
std::string_view to_string(SessionFaultKind kind); ///< "as-disagrees", "not-back", ...

/// Sessions that will not establish for one reason.
struct SessionFault {
    SessionFaultKind kind = SessionFaultKind::AsDisagrees;
    bool certain = true;        ///< false: they may, what stands elsewhere decides
    std::string reason;         ///< of the first
    std::string node, neighbor; ///< the first
    std::uint64_t sessions = 0;
    Origin here, there;   ///< the lines of both sides; unknown: nothing is written there
    bool of_mesh = false; ///< each is between two nodes of the mesh
};

/// A session that a BGPPeer makes, once.
struct SessionLink {
    NodeIndex node = 0;
    std::optional<NodeIndex> other; ///< nullopt: no node, but
    net::Address neighbor;
    bool internal = false, workload = false;
    std::vector<std::size_t> faults; ///< into SessionReport::faults
};

/// A mesh as it could be with reflectors.
struct MeshSize {
    net::Family family = net::Family::V4;  ///< that with more nodes
    std::uint64_t nodes = 0, sessions = 0; ///< 0: no mesh
    static constexpr std::uint64_t kReflectors = 3, kManyNodes = 100;

    /// Every other node with each reflector, and the reflectors with each other.
    std::uint64_t with_reflectors() const {
        return kReflectors * (nodes - kReflectors) + kReflectors * (kReflectors - 1) / 2;
    }
    bool advises_reflectors() const { return nodes > kManyNodes; }
};

struct SessionReport {
    std::vector<SessionGroup> groups;
    std::vector<SessionFault> faults;
    std::vector<SessionLink> links;
    std::vector<NodeIndex> mesh_nodes; ///< of either family, ascending
    std::uint64_t sessions = 0;        ///< each once, whether one end makes it or both
    std::uint64_t broken = 0;          ///< that will not establish
    MeshSize mesh;
};

/// `forms`: of all nodes with the mesh left out, which is counted rather than listed; a node
/// without a form is refused. `only`: the sessions of that node, one group each.
SessionReport sessions(const policy::Cluster& cluster, const ClusterRouting& routing,
                       const std::vector<NodeRouting>& forms,
                       std::optional<NodeIndex> only = std::nullopt);

} // namespace polecat::routing
