/// What the BGP rules look at: nodes, peers and sessions, typed. For analyzer/lint only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyzer/lint/checks.h"
#include "ir/net/as_number.h"

namespace polecat::lint {

using AsAt = At<net::AsNumber>;
using NodeIndex = std::uint32_t; ///< into Bgp::nodes

/// A node as its Kubernetes Node and its Calico Node say it together.
struct BgpNode {
    std::string name;
    Span span;
    policy::Labels labels;
    std::vector<net::Address> addresses;
    std::optional<AsAt> as, annotated_as; ///< its own; what the Kubernetes Node's annotation says
    std::optional<At<std::string>> cluster_id; ///< routeReflectorClusterID
    bool in_kubernetes = false, in_calico = false;

    bool has(const net::Address& address) const;
    bool has_family(net::Family family) const;
};

struct BgpPeer {
    const policy::OtherObject* object;
    std::optional<At<net::Address>> address; ///< of peerIP
    std::uint16_t port = 0;                  ///< of peerIP; 0: the usual one
    std::optional<AsAt> as, local_as;
    bool to_workloads = false;     ///< localWorkloadSelector
    std::vector<NodeIndex> nodes;  ///< that it configures, ascending
    std::vector<NodeIndex> remote; ///< nodes at its other end, ascending

    const std::string& name() const { return object->meta.name; }
    const policy::Settings& spec() const { return object->spec; }
    /// Neither node nor nodeSelector: for every node.
    bool is_global() const;
    bool configures(NodeIndex node) const;
    /// To a router of the fabric: an address that no node has.
    bool to_router() const { return address && remote.empty(); }
    std::string address_text() const; ///< "10.0.0.1", "10.0.0.1 port 1790"
};

class Bgp {
  public:
    /// `version`: Calico's release as in Settings.
    Bgp(const policy::Cluster& cluster, std::optional<int> version);

    const policy::Cluster& cluster;
    std::vector<BgpNode> nodes;
    std::vector<BgpPeer> peers;
    std::vector<const policy::OtherObject*> configurations, filters;
    const policy::OtherObject* configuration = nullptr; ///< BGPConfiguration `default`

    /// nodeToNodeMeshEnabled of `default`; not known without that object.
    std::optional<bool> mesh() const;
    /// Of the cluster; not known without BGPConfiguration `default`.
    std::optional<AsAt> cluster_as() const;
    /// That a node has by itself or from the cluster.
    std::optional<AsAt> as_of(NodeIndex node) const;
    /// That `peer` makes a node show (localASNumber), else as_of.
    std::optional<AsAt> shown_as(const BgpPeer& peer, NodeIndex node) const;
    /// False where BGP is turned off, or Felix makes the routes to the pods of every pool.
    bool carries_pods() const;
    /// As above, and no WireGuard leads there without BGP.
    bool alone_carries_pods() const;
    /// Installation with `bgp: Disabled`.
    const policy::OtherObject* disabled_by() const;
    bool in_use() const; ///< something in the input is about BGP

    std::vector<NodeIndex> select(const selector::Selector& selector) const;
    const BgpNode& node(NodeIndex index) const { return nodes[index]; }

  private:
    const std::optional<int> version_;
    void add_node(const policy::Node& node);
    void add_peer(const policy::OtherObject& object);
};

/// The parts of check_bgp, a file each.
void check_bgp_numbers(const Bgp& bgp, Diagnostics& out);   ///< AS numbers
void check_bgp_fabric(const Bgp& bgp, Diagnostics& out);    ///< against the inventory
void check_bgp_peers(const Bgp& bgp, Diagnostics& out);     ///< BGPPeer objects
void check_bgp_sessions(const Bgp& bgp, Diagnostics& out);  ///< mesh, reflectors, who hears whom
void check_bgp_config(const Bgp& bgp, Diagnostics& out);    ///< BGPConfiguration, unused filters
void check_bgp_filters(const Bgp& bgp, Diagnostics& out);   ///< rules of BGPFilter
void check_bgp_surprises(const Bgp& bgp, Diagnostics& out); ///< where Calico does otherwise
void check_bgp_routes(const Bgp& bgp, Diagnostics& out);    ///< who learns whose routes

/// What keeps routes from a peer.
struct ExportRejection {
    const policy::OtherObject* filter = nullptr;
    Span rule;         ///< of `filter`
    Span of_the_whole; ///< a rule before that accepts the net itself alone; unknown: there is none
};
/// The filters of `peer` surely reject every route of that length inside `net`; in doubt, nullopt.
std::optional<ExportRejection> export_rejection(const Bgp& bgp, const BgpPeer& peer,
                                                const net::Cidr& net, std::int64_t length);
/// Services that BGP tells the world of.
void check_bgp_services(Context& context, const Bgp& bgp, Diagnostics& out);

std::string setting_text(const policy::SettingValue& value);
std::string about(const policy::OtherObject& object); ///< "BGPPeer rack1"
/// The span of a field, else that of the object's name.
Span place(const policy::OtherObject& object, std::string_view field);
std::vector<NodeIndex> common(const std::vector<NodeIndex>& a, const std::vector<NodeIndex>& b);

} // namespace polecat::lint
