#include "analyzer/routing/sessions/sessions.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

#include "analyzer/routing/sessions/session_faults.h"

namespace polecat::routing {

namespace {

class Sessions {
  public:
    Sessions(const policy::Cluster& cluster, const ClusterRouting& routing,
             const std::vector<NodeRouting>& forms, std::optional<NodeIndex> only)
        : routing_(routing), only_(only), faults_(cluster, routing),
          forms_(routing.nodes.size(), nullptr) {
        for (const NodeRouting& form : forms)
            if (const auto index = routing.find(form.node))
                forms_[*index] = &form;
    }

    SessionReport run() {
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            const NodePairs pairs(routing_, forms_, family);
            add_pairs(pairs, family);
            add_mesh(pairs, family);
            const std::uint64_t missing = faults_.check_addresses(family, only_);
            out_.sessions += missing;
            out_.broken += missing;
        }
        std::stable_sort(out_.groups.begin(), out_.groups.end(), [](const auto& a, const auto& b) {
            return std::tie(a.family, a.kind) < std::tie(b.family, b.kind);
        });
        out_.faults = faults_.take();
        return std::move(out_);
    }

  private:
    using Key = std::tuple<std::string, SessionKind, net::Family, bool, net::AsNumber,
                           net::AsNumber, std::string, bool, std::vector<std::string>,
                           std::vector<std::string>, std::string>;
    /// What a group has been given so far.
    struct Seen {
        std::size_t place = 0;
        std::set<net::Address> neighbors;
        NodeIndex last = UINT32_MAX;
    };

    bool asked(NodeIndex node) const { return !only_ || node == *only_; }

    // --- BGPPeers --------------------------------------------------------------------------------

    void add_pairs(const NodePairs& pairs, net::Family family) {
        std::set<const Session*> hidden;
        for (const NodePair& pair : pairs.pairs()) {
            hidden.insert(pair.hidden.begin(), pair.hidden.end());
            const bool by_mesh = pair.of_a != nullptr && pair.of_b != nullptr &&
                                 pair.of_a->kind == SessionKind::Mesh &&
                                 pair.of_b->kind == SessionKind::Mesh;
            if (by_mesh || (!asked(pair.a) && !asked(pair.b)))
                continue; // the mesh counts it
            ++out_.sessions;
            if (faults_.check(pair)) {
                ++out_.broken;
                dead_.insert({pair.of_a, pair.of_b});
            }
            const Session& end = *(pair.of_a != nullptr ? pair.of_a : pair.of_b);
            out_.links.push_back(
                {pair.a, pair.b, end.neighbor, end.is_internal(), false, faults_.found()});
            if (pairs.in_mesh(pair.a) && pairs.in_mesh(pair.b))
                replaced_.push_back(pair);
        }
        for (NodeIndex i = 0; i < forms_.size(); ++i) {
            if (forms_[i] == nullptr || !asked(i))
                continue;
            for (const Session& session : forms_[i]->of(family).sessions) {
                const NodeIndex* other = pairs.neighbor(session);
                if (other == nullptr)
                    add_router(i, session);
                add_end(i, session, other == nullptr ? nullptr : &routing_.nodes[*other], family,
                        {hidden.contains(&session), dead_.contains(&session)});
            }
        }
    }

    void add_router(NodeIndex node, const Session& session) {
        ++out_.sessions;
        if (faults_.check_router(node, session)) {
            ++out_.broken;
            dead_.insert(&session);
        }
        out_.links.push_back({node, std::nullopt, session.neighbor, session.is_internal(),
                              session.kind == SessionKind::LocalWorkload, faults_.found()});
    }

    struct Fate {
        bool hidden, dead;
    };
    void add_end(NodeIndex node, const Session& session, const BgpNode* other, net::Family family,
                 Fate fate) {
        const std::string end = endpoint_text(session.neighbor, session.port);
        const bool to_reflector = other != nullptr && other->cluster_id.has_value();
        const bool workload = session.kind == SessionKind::LocalWorkload;
        Key key{workload ? "" : session.origin.object, // a pod's
                session.kind,
                family,
                session.notes.implied,
                session.local_as,
                session.neighbor_as,
                session.reflector_cluster ? net::to_string(*session.reflector_cluster) : "",
                to_reflector,
                session.import_filters,
                session.export_filters,
                only_ ? end : ""};
        const auto [place, fresh] = seen_.try_emplace(std::move(key));
        Seen& seen = place->second;
        if (fresh) {
            seen.place = out_.groups.size();
            SessionGroup group = group_of(session, family);
            group.node = routing_.nodes[node].name;
            group.neighbor = other == nullptr ? end : other->name + " (" + end + ")";
            group.to_reflector = to_reflector;
            out_.groups.push_back(std::move(group));
        }
        SessionGroup& group = out_.groups[seen.place];
        ++group.ends;
        group.passive += session.passive ? 1 : 0;
        group.hidden += fate.hidden ? 1 : 0;
        group.dead += fate.dead ? 1 : 0;
        group.nodes += seen.last == node ? 0 : 1;
        group.neighbors += seen.neighbors.insert(session.neighbor).second ? 1 : 0;
        seen.last = node;
    }

    static SessionGroup group_of(const Session& session, net::Family family) {
        SessionGroup out;
        out.kind = session.kind;
        out.family = family;
        out.implied = session.notes.implied;
        out.local_as = session.local_as;
        out.neighbor_as = session.neighbor_as;
        out.reflector_cluster = session.reflector_cluster;
        out.import_filters = session.import_filters;
        out.export_filters = session.export_filters;
        out.ttl_security_hops = session.ttl_security_hops;
        out.password = session.password.has_value();
        out.origin = session.origin;
        return out;
    }

    // --- mesh ------------------------------------------------------------------------------------

    void add_mesh(const NodePairs& pairs, net::Family family) {
        const auto& all = pairs.mesh();
        if (all.size() < 2 || (only_ && !pairs.in_mesh(*only_)))
            return replaced_.clear();
        std::vector<NodeIndex> joined;
        std::set_union(all.begin(), all.end(), out_.mesh_nodes.begin(), out_.mesh_nodes.end(),
                       std::back_inserter(joined));
        out_.mesh_nodes = std::move(joined);
        const std::uint64_t broken = faults_.check_mesh(pairs, replaced_, family, only_);
        out_.broken += broken;
        const std::uint64_t others = all.size() - 1;
        const std::uint64_t count = only_ ? others : others * all.size() / 2;
        out_.sessions += count - replaced_.size();
        if (only_)
            return add_mesh_of_one(all, family);
        replaced_.clear();
        if (all.size() > out_.mesh.nodes)
            out_.mesh = {family, all.size(), count};
        add_mesh_groups(all, family, broken);
    }

    /// Two lines: inside one AS, and between two. Inside one, none is broken.
    void add_mesh_groups(const std::vector<NodeIndex>& all, net::Family family,
                         std::uint64_t broken) {
        std::map<net::AsNumber, std::vector<NodeIndex>> by_as;
        for (const NodeIndex each : all)
            by_as[routing_.as_of(routing_.nodes[each])].push_back(each);
        std::uint64_t inside = 0, as_inside = 0, nodes_inside = 0;
        const std::vector<NodeIndex>* first = nullptr;
        for (const auto& [as, nodes] : by_as)
            if (nodes.size() > 1) {
                inside += std::uint64_t{nodes.size()} * (nodes.size() - 1) / 2;
                nodes_inside += nodes.size();
                ++as_inside;
                first = first == nullptr ? &nodes : first;
            }
        if (first != nullptr)
            push_mesh(family, (*first)[0], (*first)[1], inside, nodes_inside, as_inside);
        const std::uint64_t between = all.size() * (all.size() - 1) / 2 - inside;
        if (between != 0) {
            push_mesh(family, by_as.begin()->second.front(),
                      std::next(by_as.begin())->second.front(), between, all.size(),
                      by_as.size() * (by_as.size() - 1) / 2);
            out_.groups.back().dead = 2 * broken;
        }
    }

    void push_mesh(net::Family family, NodeIndex node, NodeIndex neighbor, std::uint64_t sessions,
                   std::uint64_t nodes, std::uint64_t as_pairs) {
        const BgpNode &here = routing_.nodes[node], &there = routing_.nodes[neighbor];
        SessionGroup group = group_of(mesh_session(routing_, here, there, family), family);
        group.neighbor_as = routing_.as_of(there);
        group.ends = 2 * sessions;
        group.passive = sessions;
        group.nodes = group.neighbors = nodes;
        group.as_pairs = as_pairs;
        group.node = here.name;
        group.neighbor = there.name + " (" + net::to_string(there.of(family)->address) + ")";
        group.origin = routing_.mesh_origin;
        out_.groups.push_back(std::move(group));
    }

    void add_mesh_of_one(const std::vector<NodeIndex>& all, net::Family family) {
        std::set<NodeIndex> hidden; ///< with whom another session comes before
        for (const NodePair& pair : std::exchange(replaced_, {})) {
            const bool is_a = pair.a == *only_;
            if (const Session* end = is_a ? pair.of_a : pair.of_b; end->kind != SessionKind::Mesh)
                hidden.insert(is_a ? pair.b : pair.a);
        }
        const BgpNode& node = routing_.nodes[*only_];
        for (const NodeIndex each : all)
            if (each != *only_) {
                const BgpNode& other = routing_.nodes[each];
                const Session here = mesh_session(routing_, node, other, family);
                const Session there = mesh_session(routing_, other, node, family);
                const bool agree =
                    here.neighbor_as == there.local_as && there.neighbor_as == here.local_as;
                add_end(*only_, here, &other, family, {hidden.contains(each), !agree});
            }
    }

    const ClusterRouting& routing_;
    const std::optional<NodeIndex> only_;
    SessionFaults faults_;
    std::vector<const NodeRouting*> forms_; ///< by node
    SessionReport out_;
    std::set<const Session*> dead_; ///< of BGPPeers, that will not establish
    std::map<Key, Seen> seen_;
    std::vector<NodePair> replaced_; ///< sessions of the mesh, of this family
};

} // namespace

SessionReport sessions(const policy::Cluster& cluster, const ClusterRouting& routing,
                       const std::vector<NodeRouting>& forms, std::optional<NodeIndex> only) {
    return Sessions(cluster, routing, forms, only).run();
}

} // namespace polecat::routing
