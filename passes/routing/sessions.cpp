// The BGP sessions of one node and family. Which BGPPeer makes a session, where several could: the
// first for all nodes, then the first for this node, then the first that makes it peer back; first
// by name, where Calico takes any.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "passes/routing/node.h"

namespace polecat::passes::routing_parts {

namespace {

using diag::Code;
using routing::BgpNode;
using routing::BgpPeer;
using routing::NodeIndex;
using routing::Session;
using routing::SessionKind;

/// The other end of a session that a BGPPeer makes.
struct End {
    net::Address address;
    std::uint16_t port = 0; ///< 0: 179
    net::AsNumber as = 0;
    std::optional<net::Address> cluster_id;
    std::string node; ///< its name, where it is one
    bool implied = false;
    routing::Origin origin;
};

class Sessions {
  public:
    Sessions(const routing::ClusterRouting& cluster, NodeIndex node, routing::NodeRouting& of,
             net::Family family, diag::Diagnostics& diagnostics)
        : cluster_(cluster), index_(node), node_(cluster.nodes[node]), of_(of), out_(of.of(family)),
          family_(family), diagnostics_(diagnostics) {}

    void run() {
        for (const BgpPeer& peer : cluster_.peers)
            if (peer.global)
                forward(peer, global_);
        for (const std::uint32_t peer : node_.peers)
            forward(cluster_.peers[peer], own_);
        for (const std::uint32_t peer : node_.named_by)
            backward(cluster_.peers[peer]);
        mesh();
        std::stable_sort(out_.peer_routes.begin(), out_.peer_routes.end(),
                         [](const routing::PeerRoute& a, const routing::PeerRoute& b) {
                             return a.neighbor < b.neighbor;
                         });
        std::sort(
            out_.sessions.begin(), out_.sessions.end(), [](const Session& a, const Session& b) {
                return std::tie(a.kind, a.neighbor, a.port) < std::tie(b.kind, b.neighbor, b.port);
            });
        add_filters();
    }

  private:
    using Key = std::pair<net::Address, std::uint16_t>;
    using Claims = std::map<Key, std::pair<const BgpPeer*, std::size_t>>;
    static constexpr std::size_t kNoSession = SIZE_MAX;

    // --- BGPPeers --------------------------------------------------------------------------------

    void forward(const BgpPeer& peer, Claims& claims) {
        if (peer.to == BgpPeer::To::Address && peer.address.family == family_) {
            End end{peer.address, peer.port, peer.as, {}, "", false, peer.origin};
            if (!peer.remote.empty())
                end.node = cluster_.nodes[peer.remote.front()].name;
            claim(peer, end, claims);
        } else if (peer.to == BgpPeer::To::Nodes) {
            for (const NodeIndex remote : peer.remote)
                to_node(peer, remote, false, claims);
        } else if (peer.to == BgpPeer::To::Workloads) {
            for (const BgpPeer::WorkloadEnd& each : peer.workloads)
                if (const auto& address = family_ == net::Family::V4 ? each.v4 : each.v6;
                    address && (!each.node || *each.node == index_))
                    claim(peer, {*address, 0, peer.as, {}, "", false, each.origin}, claims);
        }
    }

    void backward(const BgpPeer& peer) {
        if (peer.to == BgpPeer::To::Address &&
            (peer.address_text.find(':') != std::string::npos) != (family_ == net::Family::V6))
            return;
        for (const NodeIndex remote : peer.nodes)
            to_node(peer, remote, true, own_);
    }

    void to_node(const BgpPeer& peer, NodeIndex remote, bool implied, Claims& claims) {
        const BgpNode& node = cluster_.nodes[remote];
        if (const auto& address = node.of(family_))
            claim(peer,
                  {address->address, node.own_port.value_or(cluster_.port.value_or(0)),
                   cluster_.as_of(node), node.cluster_id, node.name, implied, peer.origin},
                  claims);
    }

    void claim(const BgpPeer& peer, const End& end, Claims& claims) {
        const Key key{end.address, end.port == 0 ? std::uint16_t{179} : end.port};
        const bool own = out_.address == end.address; // Calico drops it later, so it counts here
        if (&claims == &own_ && global_.contains(key))
            return;
        const bool session = out_.enabled() && !own;
        const auto [place, fresh] =
            claims.emplace(key, std::pair{&peer, session ? out_.sessions.size() : kNoSession});
        if (!fresh)
            return compare(peer, end, place->second);
        if (session)
            out_.sessions.push_back(make(peer, end));
        if (peer.reachable_by && peer.reachable_by->family == family_)
            out_.peer_routes.push_back({end.address, *peer.reachable_by, peer.origin});
    }

    /// Two BGPPeers for one session: Calico takes one of two equals at random.
    void compare(const BgpPeer& peer, const End& end,
                 const std::pair<const BgpPeer*, std::size_t>& taken) {
        const auto& [first, session] = taken;
        if (first == &peer || session == kNoSession ||
            out_.sessions[session].notes.implied != end.implied ||
            out_.sessions[session] == make(peer, end))
            return;
        diagnostics_
            .report(Code::SessionClaimedTwice, peer.origin.span,
                    {first->name, peer.name,
                     routing::endpoint_text(end.address, out_.sessions[session].port), of_.node})
            .about("BGPPeer " + peer.name)
            .with_label(first->origin.span, "this one is taken, by its name")
            .with_note("Calico takes any of them");
    }

    Session make(const BgpPeer& peer, const End& end) const {
        Session out;
        const bool workload = peer.to == BgpPeer::To::Workloads;
        const bool to_address = peer.to == BgpPeer::To::Address && !end.implied;
        out.kind = workload                      ? SessionKind::LocalWorkload
                   : peer.global && !end.implied ? SessionKind::Global
                                                 : SessionKind::Node;
        out.neighbor = end.address;
        out.port = end.port == 0 ? 179 : end.port;
        out.neighbor_as = end.as;
        // What names an end by selector takes no part in these.
        out.local_as_given = (to_address || workload) && peer.local_as;
        out.local_as = out.local_as_given ? *peer.local_as : of_.local_as;
        out.allowed_local_as = to_address ? peer.allowed_local_as : 0;
        if (workload) {
            out.passive = true;
        } else {
            if (peer.use_node_address)
                out.source = out_.address;
            out.ttl_security_hops = peer.ttl_security_hops;
            out.max_restart_seconds = peer.max_restart_seconds;
            out.keepalive_seconds = peer.keepalive_seconds;
            out.password = peer.password;
            out.next_hop = peer.keep_next_hop_outside && !out.is_internal() ? routing::NextHop::Keep
                                                                            : peer.next_hop;
            out.passive = out.kind == SessionKind::Global && to_address && peer.is_node &&
                          routing::listens(*out_.address, end.address);
        }
        if (out.is_internal() && node_.cluster_id && end.cluster_id != node_.cluster_id)
            out.reflector_cluster = node_.cluster_id;
        name_filters(peer.filters, out);
        out.notes = {end.node, end.implied};
        out.origin = end.origin;
        return out;
    }

    // --- mesh ------------------------------------------------------------------------------------

    void mesh() {
        if (!cluster_.mesh || node_.cluster_id || !out_.enabled())
            return;
        std::set<net::Address> seen;
        for (const BgpNode& each : cluster_.nodes) {
            const auto& address = each.of(family_);
            if (!address || each.cluster_id || address->address == *out_.address ||
                !seen.insert(address->address).second)
                continue;
            out_.sessions.push_back(routing::mesh_session(cluster_, node_, each, family_));
        }
    }

    // --- filters ---------------------------------------------------------------------------------

    const routing::Filter* filter(const std::string& name) const {
        const auto& all = cluster_.of(family_).filters;
        const auto found = std::lower_bound(
            all.begin(), all.end(), name,
            [](const auto& each, const auto& wanted) { return each.name < wanted; });
        return found != all.end() && found->name == name ? &*found : nullptr;
    }

    void name_filters(const std::vector<std::string>& names, Session& session) const {
        for (const std::string& name : names)
            if (const routing::Filter* found = filter(name)) {
                if (!found->import_rules.empty())
                    session.import_filters.push_back(name);
                if (!found->export_rules.empty())
                    session.export_filters.push_back(name);
            }
    }

    void add_filters() {
        std::set<std::string> names;
        for (const Session& session : out_.sessions) {
            names.insert(session.import_filters.begin(), session.import_filters.end());
            names.insert(session.export_filters.begin(), session.export_filters.end());
        }
        for (const std::string& name : names)
            out_.filters.push_back(*filter(name));
    }

    const routing::ClusterRouting& cluster_;
    const NodeIndex index_;
    const BgpNode& node_;
    routing::NodeRouting& of_;
    routing::FamilyRouting& out_;
    const net::Family family_;
    diag::Diagnostics& diagnostics_;
    Claims global_, own_; ///< own_: of this node's BGPPeers, and those that name it
};

} // namespace

void add_sessions(const routing::ClusterRouting& cluster, NodeIndex node, routing::NodeRouting& of,
                  net::Family family, diag::Diagnostics& diagnostics) {
    Sessions(cluster, node, of, family, diagnostics).run();
}

} // namespace polecat::passes::routing_parts
