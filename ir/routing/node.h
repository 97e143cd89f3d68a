/// The routing form of one node: whom it speaks BGP with, what it announces, what its kernel gets.
/// passes/routing makes it from manifests, ir/routing/eval says what it does with a route,
/// backends/bird writes it for BIRD 2 and reads it back. docs/routing.md says what each rule is
/// taken from.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/routing/filter.h"
#include "ir/routing/values.h"

namespace polecat::routing {

enum class SessionKind : std::uint8_t {
    Global,        ///< a BGPPeer for every node
    LocalWorkload, ///< a BGPPeer with localWorkloadSelector
    Mesh,          ///< the node-to-node mesh
    Node,          ///< a BGPPeer with node or nodeSelector, or another node's BGPPeer
};
std::string_view to_string(SessionKind kind); ///< "global", "localWorkload", "mesh", "node"

enum class NextHop : std::uint8_t { Auto, Keep, Self };

/// A password is known by where it stands, never by its text.
struct PasswordRef {
    std::string secret, key;
    bool operator==(const PasswordRef&) const = default;
};

/// What people ask about a session that no router needs. Always equal, like origins.
struct SessionNotes {
    std::string peer_node; ///< the node at the other end; empty: none of the cluster
    bool implied = false;  ///< a BGPPeer of the node at the other end makes this node peer back
    bool operator==(const SessionNotes&) const { return true; }
};

struct Session {
    SessionKind kind = SessionKind::Mesh;
    net::Address neighbor;
    std::uint16_t port = 179;
    net::AsNumber neighbor_as = 0;
    net::AsNumber local_as = 0;                    ///< that this session shows
    bool local_as_given = false;                   ///< localASNumber, otherwise the node's
    std::optional<net::Address> source;            ///< nullopt: the system chooses
    std::optional<std::uint8_t> ttl_security_hops; ///< nullopt: not checked, any number of hops
    bool passive = false;
    std::optional<std::uint32_t> max_restart_seconds, keepalive_seconds; ///< nullopt: BIRD's
    /// Set: the neighbour is a client of this route reflector, of this cluster ID.
    std::optional<net::Address> reflector_cluster;
    std::optional<PasswordRef> password;
    NextHop next_hop = NextHop::Auto;
    std::uint32_t allowed_local_as = 0; ///< how often the own number may be in a path
    /// BGPFilters that have rules for the direction, in order of calling.
    std::vector<std::string> import_filters, export_filters;
    SessionNotes notes;
    Origin origin;

    bool is_internal() const { return neighbor_as == local_as; }
    bool operator==(const Session&) const = default;
};

/// "10.0.0.1", "10.0.0.1:1790", "[fd00::1]:1790".
std::string endpoint_text(const net::Address& address, std::uint16_t port);

struct PrefixLine {
    net::Cidr prefix;
    Origin origin;
    bool operator==(const PrefixLine&) const = default;
};

/// A block of addresses that this node has of a pool.
struct Block {
    net::Cidr cidr;
    bool originates = true; ///< as a blackhole route; not a block of one address
    bool hides = true;      ///< is announced, and what lies inside is not, unless elevated
    Origin origin;
    bool operator==(const Block&) const = default;
};

/// A static route that makes a neighbour reachable.
struct PeerRoute {
    net::Address neighbor, via;
    Origin origin;
    bool operator==(const PeerRoute&) const = default;
};

struct CommunityLine {
    net::Cidr prefix; ///< everything inside gets
    std::vector<Community> communities;
    Origin origin;
    bool operator==(const CommunityLine&) const = default;
};

struct NextHopLine {
    net::Address next_hop;
    Origin origin;
    bool operator==(const NextHopLine&) const = default;
};

/// What leaves the node, asked in this order after a session's export filters; first decision wins,
/// and nothing decided is rejected. Blocks and services decide too: FamilyRouting.
struct ExportRules {
    std::vector<PrefixLine> reject_pools;              ///< disableBGPExport
    std::vector<std::string> reject_interfaces_inside; ///< patterns; on iBGP only
    std::vector<std::string> reject_interfaces;        ///< patterns
    std::vector<CommunityLine> communities;            ///< added, nothing decided
    // then the node's blocks, then its services
    std::vector<PrefixLine> accept_as_reflector;
    std::vector<PrefixLine> accept_pools;
    bool operator==(const ExportRules&) const = default;
};

enum class KernelAction : std::uint8_t {
    Reject, ///< somebody else (Felix) writes these routes
    Direct,
    Tunnel, ///< through kTunnelDevice
};
inline constexpr std::string_view kTunnelDevice = "tunl0";

struct KernelPool {
    net::Cidr cidr;
    KernelAction action = KernelAction::Direct;
    /// Tunnel only: directly where the next hop lies in here (CrossSubnet).
    std::optional<net::Cidr> direct_inside;
    Origin origin;
    bool operator==(const KernelPool&) const = default;
};

/// What enters the kernel's table, in this order; first decision wins, the rest is accepted.
struct KernelRules {
    std::vector<PrefixLine> reject_services;
    std::vector<NextHopLine> reject_next_hops; ///< of BGP routes: nodes reached by WireGuard
    std::vector<KernelPool> pools;
    bool operator==(const KernelRules&) const = default;
};

/// One address family of a node. Lists are sorted by value unless their order counts.
struct FamilyRouting {
    net::Family family = net::Family::V4;
    std::optional<net::Address> address; ///< the node's; nullopt: no sessions of this family
    bool listen_on_address = false;      ///< bindMode: NodeIP; otherwise on every address
    std::uint32_t normal_priority = kUsualPriority;
    std::vector<Session> sessions; ///< by kind, neighbour, port
    std::vector<Filter> filters;   ///< those that sessions name, by name
    std::vector<Block> blocks;
    std::vector<PrefixLine> services; ///< originated as blackhole routes, and announced
    std::vector<PeerRoute> peer_routes;
    ExportRules exports;
    KernelRules kernel;

    bool enabled() const { return address.has_value(); }
    const Filter* filter(std::string_view name) const; ///< nullptr: not there
    bool operator==(const FamilyRouting&) const = default;
};

enum class Logging : std::uint8_t { Silent, States, All };

struct NodeRouting {
    std::string node;
    std::string router_id; ///< "10.0.0.1"
    net::AsNumber local_as = 0;
    std::uint16_t listen_port = 179;
    Logging logging = Logging::States;
    /// Patterns of interfaces of which no direct routes are learnt, in order; all others are.
    std::vector<std::string> ignored_interfaces;
    FamilyRouting v4, v6;
    Origin origin; ///< the Node

    const FamilyRouting& of(net::Family family) const {
        return family == net::Family::V4 ? v4 : v6;
    }
    FamilyRouting& of(net::Family family) { return family == net::Family::V4 ? v4 : v6; }
    bool operator==(const NodeRouting&) const = default;
};

} // namespace polecat::routing
