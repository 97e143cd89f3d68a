/// LoweredCluster: the programs of a cluster, the endpoints they belong to, and what they refer to.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "ir/decision/program.h"
#include "ir/decision/world.h"
#include "ir/policy/objects.h"

namespace polecat::decision {

using GroupId = Id<struct GroupTag>;

/// One program of a group with the meaning of its slots.
struct GroupProgram {
    ProgramId program;
    Attribution slots;
};

/// Endpoints with the same ordered policies, profiles and signature of named ports in use.
struct Group {
    /// Programs by direction, hook and family. Hooks other than Normal only for host endpoints that
    /// have such policy.
    struct Key {
        Direction direction;
        Hook hook;
        net::Family family;
        auto operator<=>(const Key&) const = default;
    };
    std::map<Key, GroupProgram> programs;
    std::vector<ObjectId> members;
};

/// How an endpoint of the world is reached and governed.
struct Endpoint {
    ObjectId object;
    GroupId group;
    std::string node;
    std::string interface_name;
    bool host_network = false; ///< shares the node's addresses: no policy of its own
    bool is_host_endpoint = false;
    std::vector<net::Cidr> other_sources; ///< that it may send from beside its own addresses
};

/// A pod behind a service port: an endpoint of the world, or an address that none holds.
struct ServiceBackend {
    std::optional<ObjectId> object;
    std::optional<net::Address> address;
    std::uint16_t port = 0;
    auto operator<=>(const ServiceBackend&) const = default;
};

/// A service as clients see it: the addresses that are rewritten to a backend's.
struct ServiceFront {
    struct Port {
        net::Protocol protocol = net::kTcp;
        std::uint16_t port = 0, node_port = 0;
        std::vector<ServiceBackend> backends;
    };
    std::vector<net::Address> cluster_ips, external_ips;
    std::vector<net::Family> families;      ///< of packets that it takes; empty: not known
    std::vector<net::Address> balancer_ips; ///< of the external ones, the load balancers'
    std::vector<Port> ports;
    bool headless = false;                ///< names lead to pods' addresses, nothing is rewritten
    bool is_external = false;             ///< ExternalName: leads to a name somewhere
    bool is_exposed = false;              ///< type NodePort or LoadBalancer
    bool is_balanced = false;             ///< type LoadBalancer
    std::vector<net::Cidr> source_ranges; ///< whom a load balancer lets in; empty: all
    /// externalTrafficPolicy and internalTrafficPolicy: Local. Only pods of the node that
    /// translates answer.
    bool local_outside = false, local_inside = false;
};

/// What carries packets to pods of other nodes.
enum class Tunnel : std::uint8_t { None, Ipip, Vxlan, Wireguard };

struct NodeInfo {
    std::string name;
    std::vector<net::Address> addresses;
    /// What the host itself sends through a tunnel has the address of its device.
    std::vector<std::pair<Tunnel, net::Address>> tunnel_addresses;
    std::vector<net::Cidr> networks; ///< Calico's address of the node with its prefix
};

/// Addresses of pods, and how Calico handles their packets.
struct PodPool {
    net::Cidr cidr;
    Tunnel tunnel = Tunnel::None;
    bool cross_subnet = false; ///< the tunnel is for nodes of another network only
    bool nat_outgoing = false; ///< what leaves all pools has its node's address
};

struct LoweredCluster {
    World world;
    PredicateStore predicates;
    std::vector<Program> programs; ///< distinct ones
    std::vector<Group> groups;
    std::vector<Endpoint> endpoints;
    /// What host endpoints let through as ends of flows that are not translated on their node: the
    /// failsafe ports, then untracked, preDNAT and normal policy.
    using AtEnd = std::tuple<ObjectId, Direction, net::Family>;
    std::map<AtEnd, GroupProgram> behind_failsafes;
    std::map<std::string, ObjectId> workloads_by_name; ///< "kind:namespace/name", lower-case kind
    std::map<std::string, std::vector<ObjectId>> pods_of_workloads; ///< of those with several
    std::map<std::string, ObjectId> host_endpoints_by_name;
    std::map<std::string, ServiceFront> service_fronts; ///< by "namespace/name"
    /// hostPort of pods, by node; "": of pods that are not placed. `node_port` is the host's.
    std::map<std::string, std::vector<ServiceFront::Port>> host_ports;
    std::vector<NodeInfo> nodes; ///< a node with two manifests stands here twice
    std::vector<PodPool> pools;
    bool nat_spares_hosts = false; ///< natOutgoingExclusions: IPPoolsAndHostIPs
    bool is_bpf = false;           ///< the manifests say that Calico's BPF takes kube-proxy's place
    std::set<std::string> finished; ///< workloads that have no address any more, as above
    policy::FelixSettings felix;
    std::map<std::string, policy::FelixSettings> felix_of_nodes; ///< where a node has its own

    const Program& program(ProgramId id) const { return programs[id.value]; }
    const policy::FelixSettings& felix_of(const std::string& node) const {
        const auto found = felix_of_nodes.find(node);
        return found == felix_of_nodes.end() ? felix : found->second;
    }
    const Endpoint* endpoint_of(ObjectId object) const;
    /// Whether what could not be read takes part in a program.
    bool is_in_doubt(ProgramId id) const;
    /// The program an endpoint runs, nullptr when there is none (nothing is decided there).
    const GroupProgram* find(ObjectId object, Direction direction, Hook hook,
                             net::Family family) const;
    /// What decides at an end of a flow: of host endpoints every hook on the way, as above.
    const GroupProgram* find_at_end(ObjectId object, Direction direction, net::Family family) const;
};

} // namespace polecat::decision
