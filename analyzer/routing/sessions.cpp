#include "analyzer/routing/sessions.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "analyzer/routing/session_faults.h"

namespace polecat::analyzer {

namespace {

using routing::BgpNode;
using routing::NodeIndex;
using routing::NodeRouting;
using routing::Session;

class Sessions {
  public:
    Sessions(const policy::Cluster& cluster, const routing::ClusterRouting& routing,
             const std::vector<NodeRouting>& nodes, std::optional<NodeIndex> only)
        : cluster_(cluster), routing_(routing), nodes_(nodes), only_(only) {}

    SessionReport run() {
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            SessionFaults faults(cluster_, routing_, nodes_, family);
            for (const NodeRouting& node : nodes_)
                if (!only_ || node.node == routing_.nodes[*only_].name)
                    for (const Session& session : node.of(family).sessions) {
                        add(node, session, faults.neighbor(session), family);
                        faults.check(node, session);
                    }
            mesh(family, faults);
            out_.faults.insert(out_.faults.end(), faults.faults().begin(), faults.faults().end());
        }
        std::stable_sort(out_.groups.begin(), out_.groups.end(), [](const auto& a, const auto& b) {
            return std::tie(a.family, a.kind) < std::tie(b.family, b.kind);
        });
        return std::move(out_);
    }

  private:
    using Key = std::tuple<std::string, std::size_t, net::Family, bool, net::AsNumber,
                           net::AsNumber, std::string, bool, std::vector<std::string>,
                           std::vector<std::string>, std::string>;

    void add(const NodeRouting& node, const Session& session, const BgpNode* other,
             net::Family family) {
        const std::string end = routing::endpoint_text(session.neighbor, session.port);
        const std::string cluster =
            session.reflector_cluster ? net::to_string(*session.reflector_cluster) : "";
        const bool to_reflector = other != nullptr && other->cluster_id.has_value();
        const Key key{session.origin.object,
                      static_cast<std::size_t>(session.kind),
                      family,
                      session.notes.implied,
                      session.local_as,
                      session.neighbor_as,
                      cluster,
                      to_reflector,
                      session.import_filters,
                      session.export_filters,
                      only_ ? end : ""};
        const auto [place, fresh] = places_.emplace(key, out_.groups.size());
        if (fresh)
            out_.groups.push_back({session.kind, family, session.notes.implied, session.local_as,
                                   session.neighbor_as, session.reflector_cluster, to_reflector,
                                   session.import_filters, session.export_filters,
                                   session.ttl_security_hops, session.password.has_value(), 0, 0, 0,
                                   node.node, end, session.origin});
        SessionGroup& group = out_.groups[place->second];
        ++group.sessions;
        group.passive += session.passive ? 1 : 0;
        auto& last = last_node_[place->second];
        if (last != &node)
            ++group.nodes;
        last = &node;
        // Between nodes each session has two sides: one counts.
        if (other == nullptr ||
            joined_.emplace(std::minmax<std::string>(node.node, other->name), family).second)
            ++out_.sessions;
    }

    // --- mesh ------------------------------------------------------------------------------------

    std::vector<NodeIndex> members(net::Family family) const {
        std::vector<NodeIndex> out;
        std::set<net::Address> seen;
        for (NodeIndex i = 0; routing_.mesh && i < routing_.nodes.size(); ++i) {
            const auto& address = routing_.nodes[i].of(family);
            if (address && !routing_.nodes[i].cluster_id && seen.insert(address->address).second)
                out.push_back(i);
        }
        return out;
    }

    void mesh(net::Family family, SessionFaults& faults) {
        const auto all = members(family);
        if (all.size() < 2)
            return;
        faults.check_mesh(all, only_);
        const std::uint64_t pairs = std::uint64_t{all.size()} * (all.size() - 1) / 2;
        if (only_) {
            if (std::find(all.begin(), all.end(), *only_) != all.end())
                for (const NodeIndex each : all)
                    if (each != *only_)
                        mesh_session(family, each);
            return;
        }
        const BgpNode& first = routing_.nodes[all.front()];
        SessionGroup group;
        group.family = family;
        group.local_as = routing_.as_of(first);
        group.neighbor_as = group.local_as;
        group.password = routing_.mesh_password.has_value();
        group.sessions = 2 * pairs;
        group.passive = pairs;
        group.nodes = all.size();
        group.node = first.name;
        group.neighbor = net::to_string(routing_.nodes[all[1]].of(family)->address);
        group.origin = routing_.mesh_origin;
        out_.groups.push_back(group);
        out_.sessions += pairs;
        out_.mesh_sessions += pairs;
        out_.mesh_nodes = std::max(out_.mesh_nodes, std::uint64_t{all.size()});
    }

    void mesh_session(net::Family family, NodeIndex neighbor) {
        const BgpNode &here = routing_.nodes[*only_], &there = routing_.nodes[neighbor];
        SessionGroup group;
        group.family = family;
        group.local_as = routing_.as_of(here);
        group.neighbor_as = there.own_as.value_or(group.local_as);
        group.password = routing_.mesh_password.has_value();
        group.sessions = group.nodes = 1;
        group.passive =
            net::to_string(there.of(family)->address) > net::to_string(here.of(family)->address)
                ? 1
                : 0;
        group.node = here.name;
        group.neighbor = routing::endpoint_text(there.of(family)->address, routing_.port_of(there));
        group.origin = there.of(family)->origin;
        out_.groups.push_back(std::move(group));
        ++out_.sessions;
    }

    const policy::Cluster& cluster_;
    const routing::ClusterRouting& routing_;
    const std::vector<NodeRouting>& nodes_;
    const std::optional<NodeIndex> only_;
    SessionReport out_;
    std::map<Key, std::size_t> places_;
    std::map<std::size_t, const NodeRouting*> last_node_;
    std::set<std::pair<std::pair<std::string, std::string>, net::Family>> joined_;
};

} // namespace

SessionReport sessions(const policy::Cluster& cluster, const routing::ClusterRouting& routing,
                       const std::vector<routing::NodeRouting>& nodes,
                       std::optional<NodeIndex> only) {
    return Sessions(cluster, routing, nodes, only).run();
}

} // namespace polecat::analyzer
