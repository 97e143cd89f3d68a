/// What one version's nodes and routers get of a prefix, in the words of a diff. Private to
/// analyzer/routing.
#pragma once

#include <map>

#include "analyzer/routing/diff/routing_diff.h"
#include "analyzer/routing/sessions/routers.h"

namespace polecat::routing {

/// A prefix in a node's kernel.
struct RouteState {
    enum class Kind : std::uint8_t {
        None,
        Own,     ///< a block of the node, or a service's range
        KeptOut, ///< of services: kube-proxy's
        Felix,   ///< written by Felix, whatever BGP says
        Direct,
        Tunnel,
    };
    Kind kind = Kind::None;
    std::vector<net::Address> next_hops;
    Origin session, pool; ///< that it comes by; that says how it is written

    std::string text() const; ///< "no route", "via 10.0.0.1 through tunl0"
};

class VersionRoutes {
  public:
    struct Why {
        std::string text;
        Origin origin;
        bool before = false; ///< the origin stands in the version before
    };

    VersionRoutes(const RoutingVersion& version, net::Family family);

    const ClusterRouting& routing() const { return version_.routing; }
    std::optional<net::Address> address(NodeIndex node) const;
    std::string title(const net::Address& router) const; ///< "tor-7 (10.0.7.1)"

    RouteState state(NodeIndex node, const net::Cidr& prefix);
    /// The nodes that originate the prefix as a block of theirs, with the line that says so.
    std::map<std::string, Origin> originators(const net::Cidr& prefix) const;
    /// A node that announces the prefix to the router; nullopt: nobody.
    std::optional<std::string> announcer(const net::Address& router, const net::Cidr& prefix);
    Why why_announced(const std::string& node, const net::Address& router, const net::Cidr& prefix);
    /// `node` announces it in `before`, and not here.
    Why why_not_announced(const std::string& node, const net::Address& router,
                          const net::Cidr& prefix, VersionRoutes& before);

    const Routers routers;
    Propagation model;

  private:
    const FamilyRouting* form(const std::string& node) const;
    const Session* session(const std::string& node, const net::Address& router) const;
    const policy::FabricRouter* router(const net::Address& address) const;
    Origin session_origin(const FamilyRouting& form, const Path& path) const;

    const RoutingVersion& version_;
    const net::Family family_;
    std::map<std::string, const NodeRouting*, std::less<>> forms_;
    std::vector<policy::FabricRouter> of_family_; ///< as the model numbers them
    std::vector<net::Cidr> originated_;           ///< ascending
};

} // namespace polecat::routing
