#include "analyzer/routing/sessions/session_ends.h"

#include <algorithm>
#include <tuple>

namespace polecat::routing {

Mismatch mismatch(const Session& of_a, std::uint16_t port_a, const Session& of_b,
                  std::uint16_t port_b) {
    const bool a_calls = !of_a.passive && of_a.port == port_b;
    const bool b_calls = !of_b.passive && of_b.port == port_a;
    Mismatch out;
    out.as_number = of_a.neighbor_as != of_b.local_as || of_b.neighbor_as != of_a.local_as;
    out.nobody_calls = !a_calls && !b_calls;
    out.ttl_security = of_a.ttl_security_hops.has_value() != of_b.ttl_security_hops.has_value();
    out.password = of_a.password.has_value() != of_b.password.has_value();
    return out;
}

NodePairs::NodePairs(const ClusterRouting& cluster, const std::vector<const NodeRouting*>& forms,
                     net::Family family)
    : cluster_(cluster), family_(family), in_mesh_(cluster.nodes.size()) {
    for (NodeIndex i = 0; i < cluster.nodes.size(); ++i)
        if (const auto& address = cluster.nodes[i].of(family))
            by_address_.emplace(address->address, i);
    find_mesh();
    std::vector<End> ends;
    for (NodeIndex i = 0; i < forms.size(); ++i)
        if (forms[i] != nullptr)
            for (const Session& session : forms[i]->of(family).sessions)
                if (const NodeIndex* other = neighbor(session); other && forms[*other] != nullptr)
                    ends.push_back(
                        {std::min(i, *other), std::max(i, *other), i < *other, &session});
    find_pairs(std::move(ends));
}

const NodeIndex* NodePairs::neighbor(const Session& session) const {
    const auto found = by_address_.find(session.neighbor);
    return found == by_address_.end() ? nullptr : &found->second;
}

void NodePairs::find_mesh() {
    for (NodeIndex i = 0; cluster_.mesh && i < cluster_.nodes.size(); ++i) {
        const BgpNode& node = cluster_.nodes[i];
        if (node.cluster_id || !node.of(family_) || by_address_.at(node.of(family_)->address) != i)
            continue;
        in_mesh_[i] = true;
        mesh_.push_back(i);
    }
}

void NodePairs::find_pairs(std::vector<End> ends) {
    const auto place = [](const End& end) { return std::tuple(end.a, end.b, !end.of_a); };
    std::stable_sort(ends.begin(), ends.end(),
                     [&](const End& x, const End& y) { return place(x) < place(y); });
    for (auto end = ends.begin(); end != ends.end();) {
        NodePair pair{end->a, end->b, nullptr, nullptr, {}};
        std::vector<const Session*> of_a, of_b;
        for (; end != ends.end() && end->a == pair.a && end->b == pair.b; ++end)
            (end->of_a ? of_a : of_b).push_back(end->session);
        if (in_mesh_[pair.a] && in_mesh_[pair.b]) {
            const BgpNode &a = cluster_.nodes[pair.a], &b = cluster_.nodes[pair.b];
            of_mesh_.push_back(std::make_unique<Session>(mesh_session(cluster_, a, b, family_)));
            of_a.push_back(of_mesh_.back().get());
            of_mesh_.push_back(std::make_unique<Session>(mesh_session(cluster_, b, a, family_)));
            of_b.push_back(of_mesh_.back().get());
        }
        choose(pair, true, std::move(of_a));
        choose(pair, false, std::move(of_b));
        pairs_.push_back(std::move(pair));
    }
}

/// BIRD starts them in the order of a node's sessions. One that calls a port where the other node
/// does not listen stands back.
void NodePairs::choose(NodePair& pair, bool of_a, std::vector<const Session*> ends) {
    const std::uint16_t port = cluster_.port_of(cluster_.nodes[of_a ? pair.b : pair.a]);
    const auto rank = [&](const Session* end) {
        return std::tuple(end->port != port, end->kind, end->port);
    };
    std::sort(ends.begin(), ends.end(),
              [&](const Session* x, const Session* y) { return rank(x) < rank(y); });
    if (ends.empty())
        return;
    (of_a ? pair.of_a : pair.of_b) = ends.front();
    pair.hidden.insert(pair.hidden.end(), ends.begin() + 1, ends.end());
}

} // namespace polecat::routing
