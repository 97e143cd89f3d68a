#include "ir/path/node_kinds.h"

#include <algorithm>
#include <set>

#include "ir/path/interfaces.h"

namespace polecat::ir {

using decision::Endpoint;
using decision::GroupId;
using decision::LoweredCluster;
using decision::PredicateId;
using decision::Tri;

namespace {

std::vector<std::string> names_of_nodes(const LoweredCluster& cluster) {
    std::vector<std::string> out;
    for (const decision::NodeInfo& node : cluster.nodes)
        out.push_back(node.name);
    for (const auto& [name, id] : cluster.host_endpoints_by_name)
        if (const Endpoint* endpoint = cluster.endpoint_of(id); endpoint != nullptr)
            out.push_back(endpoint->node);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

/// Of the node's interfaces: the named ones in order, then "*".
struct InterfaceGroups {
    std::vector<GroupId> named;
    std::optional<GroupId> wildcard;
    auto operator<=>(const InterfaceGroups&) const = default;
};

InterfaceGroups groups_of(const LoweredCluster& cluster, const std::string& node) {
    const NodeInterfaces interfaces = interfaces_of(cluster, node);
    InterfaceGroups out;
    for (const NodeInterfaces::Interface& each : interfaces.named)
        out.named.push_back(cluster.endpoint_of(each.host_endpoint)->group);
    if (interfaces.wildcard)
        out.wildcard = cluster.endpoint_of(*interfaces.wildcard)->group;
    return out;
}

/// What policy of all host endpoints asks of sources.
std::set<PredicateId> asked_by_host_endpoints(const LoweredCluster& cluster, net::Family family) {
    std::set<GroupId> groups;
    for (const auto& [name, id] : cluster.host_endpoints_by_name)
        groups.insert(cluster.endpoint_of(id)->group);
    std::set<PredicateId> out;
    const auto add = [&](const decision::Program& program) {
        const auto asked = predicates_of(program, true);
        out.insert(asked.begin(), asked.end());
    };
    for (const GroupId group : groups)
        for (const auto& [key, program] : cluster.groups[group.value].programs)
            if (key.direction == decision::Direction::Ingress && key.family == family)
                add(cluster.program(program.program));
    return out;
}

Tri as_tri(decision::Verdict verdict) {
    if (verdict == decision::Verdict::Depends)
        return Tri::Unknown;
    return decision::known(verdict == decision::Verdict::Allow);
}

} // namespace

std::vector<std::string> kinds_of_nodes(const LoweredCluster& cluster, const Leaving& leaving,
                                        const Arrival& packet) {
    decision::Flow flow = packet.flow;
    const auto* policy = packet.destination
                             ? cluster.find(*packet.destination, decision::Direction::Ingress,
                                            decision::Hook::Normal, flow.family)
                             : nullptr;
    const auto asked = asked_by_host_endpoints(cluster, flow.family);
    const auto look = [&](const decision::End& source, std::vector<Tri>& out) {
        flow.source = source;
        if (policy != nullptr)
            out.push_back(as_tri(decision::eval(cluster.program(policy->program),
                                                cluster.predicates, cluster.world, flow)
                                     .verdict));
        for (const PredicateId id : asked)
            out.push_back(decision::holds(cluster.predicates[id], cluster.world, source,
                                          flow.family, flow.protocol, flow.source_port));
    };
    std::vector<std::string> out;
    std::set<std::pair<InterfaceGroups, std::vector<Tri>>> seen;
    for (const std::string& node : names_of_nodes(cluster)) {
        std::vector<Tri> answers{packet.may_answer(node)};
        look(leaving.node_end(node), answers);
        for (const LeavingSource& each :
             leaving.own_sources(node, packet.node, packet.flow.destination))
            look(*each.source, answers);
        if (seen.emplace(groups_of(cluster, node), std::move(answers)).second)
            out.push_back(node);
    }
    return out;
}

} // namespace polecat::ir
