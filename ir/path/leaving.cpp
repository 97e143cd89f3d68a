#include "ir/path/leaving.h"

#include <algorithm>

namespace polecat::ir {

using decision::End;
using decision::PodPool;
using decision::Tri;
using decision::Tunnel;

std::string shown_node(const std::string& name) {
    const bool elsewhere =
        name == kSourceElsewhere || name == kDestinationElsewhere || name == kEntryElsewhere;
    return name.empty() || elsewhere ? "another node" : "node " + name;
}

Leaving::Leaving(const decision::LoweredCluster& cluster, net::Family family)
    : cluster_(cluster), family_(family) {
    for (const decision::NodeInfo& node : cluster.nodes)
        nodes_[node.name].push_back(&node);
}

const std::vector<const decision::NodeInfo*>& Leaving::infos_of(const std::string& node) const {
    static const std::vector<const decision::NodeInfo*> kNone;
    const auto found = nodes_.find(node);
    return found == nodes_.end() ? kNone : found->second;
}

End Leaving::node_end(const std::string& name) const {
    for (const decision::NodeInfo* node : infos_of(name))
        for (const net::Address& address : node->addresses)
            if (address.family == family_)
                return decision::end_of(cluster_.world, address);
    return End{};
}

std::vector<net::Address> Leaving::tunnels_of(const std::string& node,
                                              std::optional<Tunnel> wanted) const {
    std::vector<net::Address> out;
    for (const decision::NodeInfo* each : infos_of(node))
        for (const auto& [kind, address] : each->tunnel_addresses)
            if (address.family == family_ && (!wanted || kind == *wanted) &&
                std::find(out.begin(), out.end(), address) == out.end())
                out.push_back(address);
    return out;
}

/// Those that the pod's address lies in, or may; none where no pool is known.
std::vector<const PodPool*> Leaving::pools_of(const End& pod) const {
    std::vector<const PodPool*> out;
    for (const PodPool& pool : cluster_.pools)
        if (pool.cidr.family() == family_ && (!pod.address || pool.cidr.contains(*pod.address)))
            out.push_back(&pool);
    return out;
}

/// CrossSubnet compares the other node's address with this node's network.
Tri Leaving::takes_tunnel(const PodPool& pool, const std::string& node,
                          const std::string& next) const {
    if (pool.tunnel == Tunnel::None)
        return Tri::No;
    if (!pool.cross_subnet)
        return Tri::Yes;
    std::vector<net::Cidr> networks;
    for (const decision::NodeInfo* each : infos_of(node))
        for (const net::Cidr& network : each->networks)
            if (network.family() == family_)
                networks.push_back(network);
    const End peer = node_end(next);
    if (networks.empty() || !peer.address)
        return Tri::Unknown;
    const bool near = std::any_of(networks.begin(), networks.end(), [&](const net::Cidr& network) {
        return network.contains(*peer.address);
    });
    return near ? Tri::No : Tri::Yes;
}

std::vector<LeavingSource> Leaving::own_sources(const std::string& node, const std::string& next,
                                                const End& pod) const {
    std::vector<LeavingSource> out;
    const std::string of_node = " of " + shown_node(node);
    const auto add = [&](End source, std::string text) {
        const auto same = [&](const LeavingSource& each) { return each.text == text; };
        if (std::none_of(out.begin(), out.end(), same))
            out.push_back({std::move(source), std::move(text)});
    };
    const auto add_own = [&] { add(node_end(node), "with the source address" + of_node); };
    const auto add_tunnels = [&](const std::vector<net::Address>& tunnels) {
        for (const net::Address& tunnel : tunnels)
            add(decision::end_of(cluster_.world, tunnel),
                "with the tunnel address" + of_node + " (" + net::to_string(tunnel) + ")");
    };
    const auto pools = pools_of(pod);
    if (pools.empty()) { // which tunnel a packet takes is not known, only which there are
        add_own();
        add_tunnels(tunnels_of(node, std::nullopt));
        return out;
    }
    for (const PodPool* pool : pools) {
        const Tri tunnel = takes_tunnel(*pool, node, next);
        if (tunnel != Tri::Yes)
            add_own();
        if (tunnel == Tri::No)
            continue;
        const auto tunnels = tunnels_of(node, pool->tunnel);
        if (tunnels.empty())
            add(End{}, "with the tunnel address" + of_node + ", which no manifest gives");
        add_tunnels(tunnels);
    }
    add_tunnels(tunnels_of(node, Tunnel::Wireguard)); // before any other way, where both have it
    return out;
}

Tri Leaving::nat_outgoing(const End& pod, bool to_node) const {
    if (to_node && cluster_.nat_spares_hosts)
        return Tri::No;
    const auto pools = pools_of(pod);
    if (pools.empty())
        return Tri::Unknown;
    const auto nat = [](const PodPool* pool) { return pool->nat_outgoing; };
    // natOutgoingExclusions is a setting of Felix.
    if (std::all_of(pools.begin(), pools.end(), nat))
        return to_node && cluster_.felix.unread.known() ? Tri::Unknown : Tri::Yes;
    return std::any_of(pools.begin(), pools.end(), nat) ? Tri::Unknown : Tri::No;
}

/// KUBE-MARK-MASQ: what comes from outside or from the host; pods keep their address where they ask
/// a cluster address, and all do with externalTrafficPolicy Local. Whether kube-proxy knows pods'
/// range, without which it masquerades nothing for cluster addresses, no manifest says.
Tri Leaving::masquerades(const Departure& packet) const {
    const Translation& translation = *packet.translation;
    if (translation.via == Translation::Via::HostPort)
        return Tri::No;
    if (!cluster_.is_bpf && cluster_.felix.unread.known())
        return Tri::Unknown;
    if (cluster_.is_bpf)
        return packet.from == Side::Host ? Tri::Unknown : Tri::No;
    if (packet.source.address && packet.source.address == packet.destination.address)
        return Tri::Yes; // a backend that asks itself by way of another node
    if (translation.via == Translation::Via::ClusterAddress)
        return packet.from == Side::Pod ? Tri::No : Tri::Unknown;
    if (packet.from == Side::Host)
        return Tri::Yes;
    return translation.only_local ? Tri::No : Tri::Yes;
}

std::vector<LeavingSource> Leaving::sources(const Departure& packet) const {
    std::vector<LeavingSource> out;
    const auto add_own = [&] {
        const auto own =
            packet.to_pod
                ? own_sources(packet.node, packet.next, packet.destination)
                : std::vector<LeavingSource>{{node_end(packet.node), "with the source address of " +
                                                                         shown_node(packet.node)}};
        out.insert(out.end(), own.begin(), own.end());
    };
    Tri own = Tri::No;
    if (packet.translation != nullptr)
        own = masquerades(packet);
    else if (packet.from == Side::Host && packet.to_pod)
        own = Tri::Yes; // the route's device gives the source
    if (own != Tri::Yes && packet.from == Side::Pod && !packet.to_pod)
        own = nat_outgoing(packet.source, !packet.next.empty());
    if (own != Tri::Yes)
        out.push_back({std::nullopt, own == Tri::Unknown ? "with its own source address" : ""});
    if (own != Tri::No)
        add_own();
    return out;
}

} // namespace polecat::ir
