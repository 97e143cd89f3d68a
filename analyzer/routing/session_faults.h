/// What keeps sessions from establishing. Private to analyzer/routing.
#pragma once

#include <map>
#include <tuple>

#include "analyzer/routing/lines.h"
#include "analyzer/routing/sessions.h"

namespace polecat::analyzer {

/// Sessions of one family, looked at from both ends.
class SessionFaults {
  public:
    SessionFaults(const policy::Cluster& cluster, const routing::ClusterRouting& routing,
                  const std::vector<routing::NodeRouting>& nodes, net::Family family);

    /// `session` is one of `node`.
    void check(const routing::NodeRouting& node, const routing::Session& session);
    /// A mesh neighbour without its own number is taken to have that of the node itself. Of `only`
    /// alone, if it is given.
    void check_mesh(const std::vector<routing::NodeIndex>& members,
                    std::optional<routing::NodeIndex> only);
    const std::vector<SessionFault>& faults() const { return faults_; }

    /// The node at the other end, by address; nullptr: none of the cluster.
    const routing::BgpNode* neighbor(const routing::Session& session) const;

  private:
    void check_node(const routing::NodeRouting& node, const routing::Session& session,
                    const routing::BgpNode& other);
    void check_router(const routing::NodeRouting& node, const routing::Session& session);
    void check_both(const routing::NodeRouting& node, const routing::Session& session,
                    const routing::NodeRouting& other, const routing::Session& back);
    void report(SessionFaultKind kind, const routing::NodeRouting& node,
                const routing::Session& session, std::string reason, routing::Origin here,
                routing::Origin there);
    void report(SessionFaultKind kind, const std::string& node, const std::string& neighbor,
                std::uint64_t count, std::string reason, routing::Origin here,
                routing::Origin there);
    routing::Origin shown_line(const routing::BgpNode& node, const routing::Session& session) const;
    routing::Origin expected_line(const routing::BgpNode& other,
                                  const routing::Session& session) const;

    const policy::Cluster& cluster_;
    const routing::ClusterRouting& routing_;
    const net::Family family_;
    RoutingLines lines_;
    std::map<net::Address, const routing::BgpNode*> by_address_;
    std::map<std::string, const routing::NodeRouting*, std::less<>> forms_;
    std::vector<SessionFault> faults_;
    std::map<std::tuple<SessionFaultKind, Span, Span>, std::size_t> places_; ///< of faults_
};

} // namespace polecat::analyzer
