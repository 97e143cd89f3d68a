/// The two ends of a BGP session: what keeps them apart, and which end of several takes part.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "ir/routing/cluster.h"

namespace polecat::routing {

/// What two configured ends disagree on. Any of it, and there is no session.
struct Mismatch {
    bool as_number = false;    ///< an end expects another number than the other shows
    bool nobody_calls = false; ///< both only listen, or call a port where nobody does
    bool ttl_security = false; ///< at one end only
    bool password = false;     ///< at one end only

    bool any() const { return as_number || nobody_calls || ttl_security || password; }
};
/// `of_a` is an end at a node that listens on `port_a`.
Mismatch mismatch(const Session& of_a, std::uint16_t port_a, const Session& of_b,
                  std::uint16_t port_b);

/// Two nodes of a cluster and their sessions with each other. BIRD takes a caller for the first
/// session that has its address, so two nodes have one session, however many ends are configured.
struct NodePair {
    NodeIndex a = 0, b = 0; ///< a < b
    /// That takes part; nullptr: there is none.
    const Session *of_a = nullptr, *of_b = nullptr;
    std::vector<const Session*> hidden; ///< the other ends
};

/// The pairs of a family that a BGPPeer joins. What the mesh alone joins is not among them: a mesh
/// is counted rather than listed.
class NodePairs {
  public:
    /// `forms` by node, without the mesh's sessions; nullptr: refused. They must outlive this.
    NodePairs(const ClusterRouting& cluster, const std::vector<const NodeRouting*>& forms,
              net::Family family);
    NodePairs(const NodePairs&) = delete;
    NodePairs& operator=(const NodePairs&) = delete;

    const std::vector<NodePair>& pairs() const { return pairs_; }
    /// The node at the other end, by address; nullptr: none of the cluster.
    const NodeIndex* neighbor(const Session& session) const;
    bool in_mesh(NodeIndex node) const { return in_mesh_[node]; }
    /// Of the mesh, with one address each, ascending.
    const std::vector<NodeIndex>& mesh() const { return mesh_; }

  private:
    struct End {
        NodeIndex a, b; ///< a < b
        bool of_a;
        const Session* session;
    };
    void find_mesh();
    void find_pairs(std::vector<End> ends);
    void choose(NodePair& pair, bool of_a, std::vector<const Session*> ends);

    const ClusterRouting& cluster_;
    net::Family family_;
    std::map<net::Address, NodeIndex> by_address_;
    std::vector<bool> in_mesh_;
    std::vector<NodeIndex> mesh_;
    std::vector<NodePair> pairs_;
    std::vector<std::unique_ptr<Session>> of_mesh_; ///< of pairs that a BGPPeer joins, too
};

} // namespace polecat::routing
