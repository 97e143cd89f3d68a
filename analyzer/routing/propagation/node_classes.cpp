#include "analyzer/routing/propagation/node_classes.h"

#include <algorithm>
#include <map>
#include <string>

#include <fmt/format.h>

namespace polecat::routing {

namespace {

std::string communities_text(const std::vector<CommunityLine>& lines) {
    std::string out;
    for (const CommunityLine& line : lines) {
        out += net::to_string(line.prefix);
        for (const Community& each : line.communities)
            out += "," + to_string(each);
        out += ";";
    }
    return out;
}

/// What a node is by itself.
std::string own_key(const BgpNode& node) {
    std::string out = fmt::format("{} {} {} {}{}{} ", node.own_as.value_or(0),
                                  node.cluster_id ? net::to_string(*node.cluster_id) : "",
                                  node.own_port.value_or(0), node.announces_services ? 's' : '-',
                                  node.v4 ? '4' : '-', node.v6 ? '6' : '-');
    if (node.communities)
        out += "c" + communities_text(*node.communities);
    return out;
}

using Addresses = std::map<net::Address, std::vector<NodeIndex>>;

Addresses addresses(const ClusterRouting& cluster) {
    Addresses out;
    for (NodeIndex i = 0; i < cluster.nodes.size(); ++i)
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            if (const auto& address = cluster.nodes[i].of(family))
                out[address->address].push_back(i);
    return out;
}

/// Its part in each BGPPeer.
void add_peers(const ClusterRouting& cluster, std::vector<std::string>& keys) {
    const Addresses at = addresses(cluster);
    for (std::size_t i = 0; i < cluster.peers.size(); ++i) {
        const BgpPeer& peer = cluster.peers[i];
        for (const NodeIndex node : peer.nodes)
            keys[node] += fmt::format("n{}", i);
        for (const NodeIndex node : peer.remote)
            keys[node] += fmt::format("r{}", i);
        if (const auto found = at.find(peer.address);
            peer.to == BgpPeer::To::Address && found != at.end())
            for (const NodeIndex node : found->second)
                keys[node] += fmt::format("a{}", i);
    }
    // Who shares an address with another is like nobody.
    for (const auto& [address, nodes] : at)
        if (nodes.size() > 1)
            for (const NodeIndex node : nodes)
                keys[node] += fmt::format("d{}", node);
}

} // namespace

NodeClasses node_classes(const ClusterRouting& cluster) {
    std::vector<std::string> keys;
    for (const BgpNode& node : cluster.nodes)
        keys.push_back(own_key(node));
    add_peers(cluster, keys);
    NodeClasses out;
    std::map<std::string, std::uint32_t> classes;
    for (NodeIndex i = 0; i < keys.size(); ++i) {
        const auto [place, fresh] =
            classes.emplace(keys[i], static_cast<std::uint32_t>(out.members.size()));
        if (fresh)
            out.members.emplace_back();
        out.of.push_back(place->second);
        out.members[place->second].push_back(i);
    }
    return out;
}

ClusterRouting without_nodes(const ClusterRouting& cluster) {
    ClusterRouting out = cluster;
    out.nodes.clear();
    return out;
}

ClusterRouting only_nodes(const ClusterRouting& cluster, const ClusterRouting& bare,
                          const std::vector<NodeIndex>& kept) {
    std::map<NodeIndex, NodeIndex> place;
    ClusterRouting out = bare;
    for (const NodeIndex each : kept) {
        place.emplace(each, static_cast<NodeIndex>(place.size()));
        out.nodes.push_back(cluster.nodes[each]);
        out.nodes.back().blocks.clear();
        out.nodes.back().services.clear();
    }
    const auto renumber = [&](std::vector<NodeIndex>& list) {
        std::vector<NodeIndex> now;
        for (const NodeIndex each : list)
            if (const auto found = place.find(each); found != place.end())
                now.push_back(found->second);
        list = std::move(now);
    };
    for (BgpPeer& peer : out.peers) {
        renumber(peer.nodes);
        renumber(peer.remote);
        peer.workloads.clear(); // they are no part of the cluster's BGP
    }
    return out;
}

} // namespace polecat::routing
