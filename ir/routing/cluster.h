/// Routing of a whole cluster, before it is one node's: nodes with what BGP needs of them, BGPPeers
/// with the nodes at both ends, what every node shares. passes/routing makes it once;
/// NodeRouting is made of it for each node, and questions about many nodes start here (a mesh of
/// 5,000 nodes has 12 million sessions, which nobody lists).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/routing/node.h"
#include "ir/selector/selector.h"

namespace polecat::routing {

using NodeIndex = std::uint32_t; ///< into ClusterRouting::nodes

struct NodeAddress {
    net::Address address;
    net::Cidr subnet; ///< the host's network; of a bare address that address alone
    Origin origin;
};

/// A node as its Kubernetes Node and its Calico Node say it together.
struct BgpNode {
    std::string name;
    selector::Labels labels;
    std::optional<NodeAddress> v4, v6;
    std::optional<net::AsNumber> own_as; ///< otherwise the cluster's
    std::optional<net::Address> cluster_id;
    std::optional<net::Address> wireguard_v4, wireguard_v6;
    std::optional<std::uint16_t> own_port; ///< BGPConfiguration node.NAME
    bool announces_services = true;        ///< no exclusion label
    Logging logging = Logging::States;
    /// Of BGPConfiguration node.NAME; nullopt: those of the cluster.
    std::optional<std::vector<CommunityLine>> communities;
    std::vector<Block> blocks;        ///< both families
    std::vector<PrefixLine> services; ///< host routes that only nodes with an endpoint announce
    /// Into ClusterRouting::peers: BGPPeers for this node and not for all; those that name it as
    /// their other end, with which it peers back.
    std::vector<std::uint32_t> peers, named_by;
    Origin origin;

    const std::optional<NodeAddress>& of(net::Family family) const {
        return family == net::Family::V4 ? v4 : v6;
    }
    const std::optional<net::Address>& wireguard(net::Family family) const {
        return family == net::Family::V4 ? wireguard_v4 : wireguard_v6;
    }
};

/// A BGPPeer. What it asks of a session goes for both ends where it makes nodes peer back.
struct BgpPeer {
    enum class To : std::uint8_t { Address, Nodes, Workloads };
    /// A workload that peers with the node that it runs on.
    struct WorkloadEnd {
        std::optional<NodeIndex> node; ///< nullopt: whichever node is asked about
        std::optional<net::Address> v4, v6;
        Origin origin;
    };

    std::string name;
    To to = To::Address;
    bool global = false;          ///< neither node nor nodeSelector
    std::vector<NodeIndex> nodes; ///< that it configures, ascending
    /// To::Address: which, as written (Calico compares addresses as text) and as it is.
    std::string address_text;
    net::Address address;
    std::uint16_t port = 0; ///< of peerIP, or of the node that it names; 0: 179
    bool is_node = false;   ///< some node has the address, as text
    /// The nodes at the other end, ascending: of peerSelector, or those with the address, AS number
    /// and port. They peer back with `nodes` if `reverse`.
    std::vector<NodeIndex> remote;
    std::vector<WorkloadEnd> workloads;
    bool reverse = true;

    net::AsNumber as = 0; ///< 0: not given
    std::optional<net::AsNumber> local_as;
    std::vector<std::string> filters; ///< names, those of missing filters left out
    std::optional<PasswordRef> password;
    std::optional<std::uint32_t> max_restart_seconds, keepalive_seconds;
    std::optional<std::uint8_t> ttl_security_hops;
    bool use_node_address = true;       ///< sourceAddress
    bool keep_next_hop_outside = false; ///< keepOriginalNextHop: on eBGP
    NextHop next_hop = NextHop::Auto;
    std::uint32_t allowed_local_as = 0;
    std::optional<net::Address> reachable_by;
    Origin origin;
};

/// What the dataplane agent says about a workload that peers with its node.
struct EndpointStatus {
    std::string peer; ///< name of the BGPPeer
    std::optional<net::Address> v4, v6;
    Span span;
};

/// An IP pool, as far as routes care.
struct Pool {
    net::Cidr cidr;
    bool exported = true;                       ///< not disableBGPExport
    KernelAction kernel = KernelAction::Direct; ///< what BIRD does with its routes
    bool cross_subnet = false;                  ///< Tunnel: not inside the node's own subnet
    Origin origin;
};

/// What a family of every node shares.
struct FamilyShared {
    std::uint32_t normal_priority = kUsualPriority;
    std::vector<Filter> filters; ///< all with rules of the family, by name
    std::vector<CommunityLine> communities;
    std::vector<PrefixLine> announced_ranges; ///< of services
    std::vector<PrefixLine> kept_from_kernel; ///< of services
    std::vector<PrefixLine> services;         ///< host routes that every node announces
    std::vector<PrefixLine> reflected;        ///< ranges that reflectors pass on
    std::vector<Pool> pools;                  ///< by the text of the CIDR, as Calico asks them
};

struct ClusterRouting {
    std::vector<BgpNode> nodes; ///< by name
    std::vector<BgpPeer> peers; ///< by name: of two for one neighbour, the first counts
    net::AsNumber as = 64512;
    std::optional<std::uint16_t> port;
    bool mesh = true;
    std::optional<PasswordRef> mesh_password;
    std::optional<std::uint32_t> mesh_restart_seconds;
    Origin mesh_origin;
    bool bind_node_address = false;
    bool tunnels_by_felix = true; ///< IPIP's routes: then they don't leave through iBGP
    std::vector<std::string> ignored_interfaces;
    std::string router_id; ///< "", "hash" or an ID
    FamilyShared v4, v6;

    const FamilyShared& of(net::Family family) const { return family == net::Family::V4 ? v4 : v6; }
    FamilyShared& of(net::Family family) { return family == net::Family::V4 ? v4 : v6; }
    std::optional<NodeIndex> find(std::string_view node) const;
    net::AsNumber as_of(const BgpNode& node) const { return node.own_as.value_or(as); }
    std::uint16_t port_of(const BgpNode& node) const {
        return node.own_port.value_or(port.value_or(179));
    }
};

/// Of two ends that both could call, the one with the lower address calls, lower as text.
bool listens(const net::Address& own, const net::Address& neighbor);

/// The session that the mesh gives `node` with `neighbor`; both have an address of the family.
Session mesh_session(const ClusterRouting& cluster, const BgpNode& node, const BgpNode& neighbor,
                     net::Family family);

} // namespace polecat::routing
