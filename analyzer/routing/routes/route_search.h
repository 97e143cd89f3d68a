/// Whether a packet that policy allows finds a route: `polecat reach` and `map` ask. It speaks only
/// of what BGP and the tunnels between nodes decide, and only where the input says how that is;
/// docs/routing.md has the rules.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "analyzer/routing/propagation/propagation_classes.h"
#include "analyzer/routing/sessions/routers.h"

namespace polecat::routing {

/// Why there is no route, or may be none.
struct MissingRoute {
    struct Step {
        std::string text;
        Origin origin;
    };
    bool certain = true; ///< false: what `unless` says decides
    std::string reason;  ///< "node a has no route to 10.1.0.64/26 of node b"
    std::string unless;
    std::vector<Step> trail; ///< where the route stops, with the line of each
};

class RouteSearch {
  public:
    /// Gap: without the trail, which costs more than to see that there is no route.
    enum class Detail : std::uint8_t { Gap, Trail };

    /// `forms`: of the nodes that are not refused, the mesh left out. All must outlive this.
    RouteSearch(const policy::Cluster& cluster, const ClusterRouting& routing,
                const std::vector<NodeRouting>& forms, LowerNode lower);
    ~RouteSearch();

    /// From what runs on one node to a pod of another. nullopt: there is a route, or nobody knows.
    std::optional<MissingRoute> to_pod(const std::string& from, const std::string& node,
                                       const net::Address& pod, Detail detail = Detail::Trail);
    /// False: every node has a route to the pod, as far as anybody knows.
    bool may_miss(const net::Address& pod);
    /// From outside of the cluster.
    std::optional<MissingRoute> to_pod_from_outside(const std::string& node,
                                                    const net::Address& pod);
    /// `field` of BGPConfiguration: "serviceClusterIPs" and its like.
    std::optional<MissingRoute> to_service_from_outside(const net::Address& address,
                                                        const std::string& field);

  private:
    using Run = Propagation::Run;
    struct Family;

    Family& of(net::Family family);
    std::optional<NodeIndex> node(const std::string& name) const;
    const Pool* pool_of(const net::Address& pod) const; ///< nullptr: none of the input
    bool is_missed(const net::Cidr& prefix);
    std::optional<MissingRoute> without_address(NodeIndex from, NodeIndex to,
                                                net::Family family) const;
    std::optional<MissingRoute> by_felix(NodeIndex from, NodeIndex to, const net::Address& pod,
                                         const Pool& pool) const;
    bool felix_may(NodeIndex from, NodeIndex to, const Pool& pool) const;
    bool by_wireguard(NodeIndex from, NodeIndex to, net::Family family) const;
    std::optional<MissingRoute> by_bgp(NodeIndex from, NodeIndex to, const net::Cidr& prefix,
                                       Detail detail);
    std::optional<MissingRoute> across_networks(NodeIndex from, NodeIndex to,
                                                const net::Cidr& prefix, const Run& run);
    void explain(const Run& run, std::optional<SpeakerIndex> at,
                 const std::map<SpeakerIndex, NodeIndex>& asked, MissingRoute& into) const;
    void explain_without_sessions(NodeIndex node, MissingRoute& into) const;
    void doubts(const Run& run, net::Family family, NodeIndex from, MissingRoute& into);
    std::optional<MissingRoute> told_nobody(const net::Cidr& prefix, std::optional<NodeIndex> node,
                                            std::string reason);

    const policy::Cluster& cluster_;
    ClusterRouting routing_; ///< with blocks that are assumed
    const std::vector<NodeRouting>& forms_;
    LowerNode lower_;
    bool speaks_ = false; ///< the input is about BGP
    Routers routers_;
    std::set<std::string> tunnel_ends_v4_, tunnel_ends_v6_; ///< nodes with an end of a VXLAN tunnel
    std::unique_ptr<Family> v4_, v6_;
    /// By node and prefix; answers of pods of one block are one.
    std::map<std::tuple<NodeIndex, NodeIndex, net::Cidr, Detail>, std::optional<MissingRoute>>
        answers_;
    std::map<net::Cidr, bool> may_miss_;
};

/// Whether the input has objects of Calico that are about BGP.
bool is_about_bgp(const policy::Cluster& cluster);

} // namespace polecat::routing
