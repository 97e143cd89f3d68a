// The node-to-node mesh, route reflectors, nodes that have no session.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/bgp/bgp.h"
#include "support/diag/fix.h"

namespace polecat::lint {

namespace {

class Sessions {
  public:
    Sessions(const Bgp& bgp, Diagnostics& out) : bgp_(bgp), out_(out) {}

    void run() {
        address_twice();
        if (!bgp_.carries_pods())
            return;
        if (bgp_.mesh() == false) {
            if (bgp_.alone_carries_pods())
                uncovered();
            for (const BgpPeer& peer : bgp_.peers) {
                plain_reflectors(peer);
                internal_router(peer);
            }
        } else {
            mesh_with_reflectors();
            reflectors_alone();
            mesh_size();
        }
    }

  private:
    Span mesh_span() const { return place(*bgp_.configuration, "nodeToNodeMeshEnabled"); }

    /// Some BGPPeer gives the node a session, from its side or, unless that is turned off, from the
    /// other.
    bool covered(NodeIndex node) const {
        for (const BgpPeer& peer : bgp_.peers) {
            if (peer.to_workloads)
                continue;
            // Nodes that stand in no manifest may be at the other end; the node itself is no end.
            const bool only_itself = peer.remote == std::vector<NodeIndex>{node};
            if (peer.configures(node) && !only_itself)
                return true;
            if (std::binary_search(peer.remote.begin(), peer.remote.end(), node) &&
                !peer.spec().is("reversePeering", "Manual") && !peer.nodes.empty() &&
                peer.nodes != std::vector<NodeIndex>{node})
                return true;
        }
        return false;
    }

    // --- without a mesh --------------------------------------------------------------------------

    void uncovered() {
        std::vector<std::string> alone;
        for (NodeIndex i = 0; i < bgp_.nodes.size(); ++i)
            if (!covered(i))
                alone.push_back(bgp_.node(i).name);
        if (!alone.empty())
            out_.report(Code::MeshOffNoPeers, mesh_span(),
                        {(alone.size() == 1 ? "node " : "nodes ") + listed(alone)})
                .about(about(*bgp_.configuration))
                .with_hint("no route leads to their pods: add a BGPPeer whose nodeSelector matches "
                           "them, or turn the mesh on");
    }

    bool has_router(NodeIndex node) const {
        return std::any_of(bgp_.peers.begin(), bgp_.peers.end(), [&](const BgpPeer& peer) {
            return peer.to_router() && peer.configures(node);
        });
    }

    bool joined(NodeIndex a, NodeIndex b) const {
        return std::any_of(bgp_.peers.begin(), bgp_.peers.end(), [&](const BgpPeer& peer) {
            const auto ends = [&](NodeIndex x, NodeIndex y) {
                return peer.configures(x) &&
                       std::binary_search(peer.remote.begin(), peer.remote.end(), y);
            };
            return ends(a, b) || ends(b, a);
        });
    }

    bool same_as(NodeIndex a, NodeIndex b) const {
        const auto x = bgp_.as_of(a), y = bgp_.as_of(b);
        return x && y && x->value == y->value;
    }

    /// A third node passes on routes from `a` to `b`: a reflector, or one of another AS.
    bool reflected(NodeIndex a, NodeIndex b) const {
        for (NodeIndex i = 0; i < bgp_.nodes.size(); ++i)
            if (i != a && i != b && (bgp_.node(i).cluster_id || !same_as(i, a) || !same_as(i, b)) &&
                joined(a, i) && joined(i, b))
                return true;
        return false;
    }

    /// Reflectors of the same clients share one id, whatever it is. Reflectors of others must have
    /// another, and who belongs together is not known then.
    std::optional<diag::Fix> give_cluster_id(const BgpPeer& peer, const BgpNode& node) const {
        std::string id = "244.0.0.1"; // as in Calico's documentation
        for (const BgpPeer& each : bgp_.peers)
            if (each.spec().has("peerSelector") && each.remote != peer.remote)
                return std::nullopt;
        std::set<std::string> used;
        for (NodeIndex i = 0; i < bgp_.nodes.size(); ++i) {
            if (!bgp_.node(i).cluster_id)
                continue;
            if (!std::binary_search(peer.remote.begin(), peer.remote.end(), i))
                return std::nullopt;
            used.insert(id = **bgp_.node(i).cluster_id);
        }
        if (!node.in_calico || used.size() > 1)
            return std::nullopt;
        return diag::add_to_object(node.span, "spec.bgp",
                                   "{routeReflectorClusterID: " + diag::content_word(id) + "}",
                                   "make it a reflector");
    }

    /// Routes learned inside an AS go no further, unless the node in the middle reflects them.
    void plain_reflectors(const BgpPeer& peer) {
        if (!peer.spec().has("peerSelector"))
            return;
        std::vector<NodeIndex> clients;
        std::set_difference(peer.nodes.begin(), peer.nodes.end(), peer.remote.begin(),
                            peer.remote.end(), std::back_inserter(clients));
        clients.erase(std::remove_if(clients.begin(), clients.end(),
                                     [&](NodeIndex node) { return has_router(node); }),
                      clients.end());
        if (clients.size() < 2)
            return;
        const NodeIndex first = clients.front();
        std::vector<NodeIndex> apart; // nodes that `first` hears of through such a hub only
        for (const NodeIndex each : clients)
            if (each != first && same_as(each, first) && !joined(first, each) &&
                !reflected(first, each))
                apart.push_back(each);
        for (const NodeIndex hub : peer.remote) {
            if (apart.empty() || bgp_.node(hub).cluster_id || !same_as(hub, first))
                continue;
            const BgpNode& node = bgp_.node(hub);
            out_.report(Code::ReflectorWithoutCluster, node.span, {node.name})
                .about("Node " + node.name)
                .with_label(place(*peer.object, "peerSelector"),
                            "BGPPeer " + peer.name() + " makes nodes peer with it")
                .with_note(fmt::format("node {} does not learn the routes of node {}",
                                       bgp_.node(apart.front()).name, bgp_.node(first).name))
                .with_hint("set spec.bgp.routeReflectorClusterID of the Calico Node")
                .with_fix(give_cluster_id(peer, node));
        }
    }

    /// A router inside the AS of its nodes: it must reflect, or its number is wrong.
    void internal_router(const BgpPeer& peer) {
        if (!peer.to_router() || !peer.as || peer.local_as)
            return;
        std::optional<AsAt> own = bgp_.cluster_as();
        for (const NodeIndex index : peer.nodes)
            if (const auto has = bgp_.as_of(index); has && has->value == peer.as->value)
                own = has;
        if (!own || own->value != peer.as->value)
            return;
        auto& diagnostic =
            out_.report(Code::InternalRouter, peer.as->span,
                        {peer.name(), peer.address_text(), std::to_string(peer.as->value)});
        diagnostic.about(about(*peer.object))
            .with_label(own->span, fmt::format("AS {} of the nodes", own->value))
            .with_hint("with the mesh off, the router must be a route reflector for them; if it is "
                       "in an AS of its own, correct asNumber");
        // AS numbers by rack, and a router with the number of nodes that have none of their own.
        const bool by_default = own->span == place_of_cluster_as();
        for (const BgpNode& node : bgp_.nodes)
            if (node.as && node.as->value != peer.as->value && by_default) {
                diagnostic.severity = diag::Severity::Warning;
                diagnostic.with_label(node.as->span,
                                      fmt::format("node {} has AS {}", node.name, node.as->value));
                return;
            }
    }

    Span place_of_cluster_as() const { return place(*bgp_.configuration, "asNumber"); }

    // --- with a mesh -----------------------------------------------------------------------------

    std::vector<NodeIndex> reflectors() const {
        std::vector<NodeIndex> out;
        for (NodeIndex i = 0; i < bgp_.nodes.size(); ++i)
            if (bgp_.node(i).cluster_id)
                out.push_back(i);
        return out;
    }

    void mesh_with_reflectors() {
        if (bgp_.mesh() != true)
            return;
        std::vector<std::string> names;
        Span where;
        for (const NodeIndex index : reflectors())
            if (covered(index)) {
                names.push_back(bgp_.node(index).name);
                where = bgp_.node(index).cluster_id->span;
            }
        if (names.empty())
            return;
        out_.report(Code::MeshWithReflectors, mesh_span(), {listed(names)})
            .about(about(*bgp_.configuration))
            .with_label(where, "a route reflector")
            .with_hint("set nodeToNodeMeshEnabled: false once every node peers with a reflector");
    }

    /// The mesh leaves out nodes with a cluster id.
    void reflectors_alone() {
        for (const NodeIndex index : reflectors()) {
            const BgpNode& node = bgp_.node(index);
            if (!bgp_.in_use() || bgp_.nodes.size() < 2 || covered(index))
                continue;
            out_.report(Code::ReflectorAlone, node.cluster_id->span, {node.name})
                .about("Node " + node.name)
                .with_hint("add a BGPPeer with a peerSelector that matches it, or remove the "
                           "cluster id");
        }
    }

    void mesh_size() {
        if (!bgp_.in_use())
            return;
        const std::size_t nodes = bgp_.nodes.size() - reflectors().size();
        if (nodes <= 100)
            return;
        const Span span = bgp_.configuration != nullptr ? mesh_span() : bgp_.nodes.front().span;
        out_.report(Code::MeshTooLarge, span,
                    {std::to_string(nodes), std::to_string(nodes * (nodes - 1) / 2)});
    }

    // --- addresses -------------------------------------------------------------------------------

    void address_twice() {
        std::map<net::Address, const BgpNode*> seen;
        for (const BgpNode& node : bgp_.nodes)
            for (const net::Address& address : node.addresses) {
                const auto [first, fresh] = seen.emplace(address, &node);
                if (!fresh && node.in_calico && first->second->in_calico)
                    out_.report(Code::NodeAddressTwice, node.span,
                                {first->second->name, node.name, net::to_string(address)})
                        .about("Node " + node.name)
                        .with_label(first->second->span, "the other node");
            }
    }

    const Bgp& bgp_;
    Diagnostics& out_;
};

} // namespace

void check_bgp_sessions(const Bgp& bgp, Diagnostics& out) {
    Sessions(bgp, out).run();
}

} // namespace polecat::lint
