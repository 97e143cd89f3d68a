/// With which source addresses a packet leaves a node. For ir/path, and for lint, which says of
/// services what `reach` says.
/// Source: kube-proxy's rules for iptables and nftables (KUBE-EXT, KUBE-SVC, KUBE-SVL, MASQUERADE),
/// felix/rules/nat.go (natOutgoing), Linux' choice of a device's own address.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "ir/decision/eval.h"
#include "ir/decision/lowered.h"
#include "ir/path/crossing.h"
#include "ir/path/route.h"

namespace polecat::ir {

struct LeavingSource {
    std::optional<decision::End> source; ///< absent: the packet keeps its own
    std::string text;                    ///< "with the tunnel address of node n1"
};

/// A packet on its way from one node to another.
struct Departure {
    std::string node, next;
    Side from = Side::Network;                ///< where it came from on this node
    bool to_pod = false;                      ///< what it is addressed to; else a host
    decision::End source, destination;        ///< the pods; without address where it isn't known
    const Translation* translation = nullptr; ///< made on this node
};

class Leaving {
  public:
    Leaving(const decision::LoweredCluster& cluster, net::Family family);

    /// All that the packet may have, where the manifests do not tell; never empty.
    std::vector<LeavingSource> sources(const Departure& packet) const;
    /// The node's own address; without address or object where no manifest gives it.
    decision::End node_end(const std::string& node) const;
    /// Of what a node sends by itself to a pod of another node, or masquerades towards it.
    std::vector<LeavingSource> own_sources(const std::string& node, const std::string& next,
                                           const decision::End& pod) const;
    /// Whether a pod's packets to a host outside of all pools get the node's address.
    decision::Tri nat_outgoing(const decision::End& pod, bool to_node) const;

  private:
    std::vector<const decision::PodPool*> pools_of(const decision::End& pod) const;
    decision::Tri takes_tunnel(const decision::PodPool& pool, const std::string& node,
                               const std::string& next) const;
    decision::Tri masquerades(const Departure& packet) const;
    std::vector<net::Address> tunnels_of(const std::string& node,
                                         std::optional<decision::Tunnel> kind) const;

    /// All that the manifests say of a node: Kubernetes' and Calico's object.
    const std::vector<const decision::NodeInfo*>& infos_of(const std::string& node) const;

    const decision::LoweredCluster& cluster_;
    net::Family family_;
    std::unordered_map<std::string, std::vector<const decision::NodeInfo*>> nodes_;
};

/// Nodes apart from those in the input: of pods that are not placed, and where packets come in. No
/// node is called so.
inline constexpr const char* kSourceElsewhere = "(source)";
inline constexpr const char* kDestinationElsewhere = "(destination)";
inline constexpr const char* kEntryElsewhere = "(entry)";

/// "node n1", or "another node" for one that is not in the input.
std::string shown_node(const std::string& name);

} // namespace polecat::ir
