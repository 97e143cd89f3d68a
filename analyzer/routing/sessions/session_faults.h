/// What keeps sessions from establishing. Private to analyzer/routing.
#pragma once

#include <map>
#include <tuple>

#include "analyzer/routing/sessions/fabric.h"
#include "analyzer/routing/sessions/routing_lines.h"
#include "analyzer/routing/sessions/session_ends.h"
#include "analyzer/routing/sessions/sessions.h"

namespace polecat::routing {

/// Each check says how many sessions will not establish.
class SessionFaults {
  public:
    SessionFaults(const policy::Cluster& cluster, const ClusterRouting& routing);

    bool check(const NodePair& pair);
    /// `session` of `node` with somebody who is no node.
    bool check_router(NodeIndex node, const Session& session);
    /// Sessions of the mesh, of `only` alone if it is given. `replaced`: pairs with a session of a
    /// BGPPeer instead.
    std::uint64_t check_mesh(const NodePairs& pairs, const std::vector<NodePair>& replaced,
                             net::Family family, std::optional<NodeIndex> only);
    /// Sessions that a BGPPeer asks for, and that no node can have.
    std::uint64_t check_addresses(net::Family family, std::optional<NodeIndex> only);

    /// Those that the last check found, certain or not.
    const std::vector<std::size_t>& found() const { return found_; }
    std::vector<SessionFault> take() { return std::move(faults_); }

  private:
    struct End {
        NodeIndex node;
        const Session* session;
    };
    void check_as(const End& here, const End& there, std::uint64_t count = 1);
    void check_ttl(const End& with, const End& without);
    void check_passwords(const End& a, const End& b);
    void not_back(const End& here, NodeIndex other);
    void number_of(const End& here, const Fabric::Router& router);
    bool number_for(const End& here, const Fabric::Router& router);
    void report(SessionFaultKind kind, const End& here, std::string reason, Origin at, Origin there,
                std::uint64_t count = 1);
    const BgpNode& node(NodeIndex index) const { return routing_.nodes[index]; }
    Origin shown_line(const End& end) const;
    Origin expected_line(const End& end, NodeIndex other) const;

    const ClusterRouting& routing_;
    RoutingLines lines_;
    Fabric fabric_;
    std::vector<SessionFault> faults_;
    std::vector<std::size_t> found_;
    /// Of faults_, by kind, BGPPeer and lines.
    std::map<std::tuple<SessionFaultKind, Span, Span, Span>, std::size_t> places_;
};

} // namespace polecat::routing
