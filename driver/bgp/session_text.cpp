#include "driver/bgp/session_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "support/listed.h"

namespace polecat::driver {

using routing::SessionGroup;

namespace {

/// What each end takes the numbers to be decides whether a session is internal; where the ends
/// disagree it is neither.
std::string numbers_of(const SessionGroup& group, bool of_both_ends) {
    if (group.dead == group.ends)
        return fmt::format("will not establish; AS {}, {}AS {}", group.local_as,
                           of_both_ends ? "" : "expects ", group.neighbor_as);
    std::string out = group.is_internal() ? fmt::format("iBGP, AS {}", group.local_as)
                                          : fmt::format("eBGP, AS {} with AS {}", group.local_as,
                                                        group.neighbor_as);
    if (group.as_pairs > 1)
        out += fmt::format(" and {} other{}", group.as_pairs - 1,
                           group.is_internal() ? "s" : " pairs");
    if (group.dead != 0)
        out += fmt::format("; {} of {} ends will not establish", group.dead, group.ends);
    return out;
}

std::string role_of(const SessionGroup& group) {
    if (group.reflector_cluster)
        return fmt::format("; they are its clients, cluster {}",
                           net::to_string(*group.reflector_cluster));
    return group.to_reflector && group.is_internal() ? "; with route reflectors" : "";
}

std::string traits_of(const SessionGroup& group, bool one_node) {
    std::string out;
    const bool whole_mesh = group.kind == routing::SessionKind::Mesh && !one_node;
    if (group.passive != 0 && !whole_mesh) // of a mesh, one end of each calls
        out += group.passive == group.ends
                   ? "; only the neighbour calls"
                   : fmt::format("; {} of {} ends wait for the neighbour to call", group.passive,
                                 group.ends);
    if (group.ttl_security_hops)
        out += fmt::format("; TTL checked, {}", counted(*group.ttl_security_hops, "hop"));
    if (group.password)
        out += "; password";
    if (group.hidden != 0)
        out += one_node ? "; never starts, another session with this neighbour comes before"
                        : fmt::format("; {} of {} ends never start, another session with the same "
                                      "neighbour comes before",
                                      group.hidden, group.ends);
    return out;
}

} // namespace

SessionText describe(const RoutedInput& routed, const SessionGroup& group, bool one_node) {
    const bool mesh = group.kind == routing::SessionKind::Mesh;
    SessionText out;
    out.by = (mesh ? "mesh, " : "") + routed.text_of(group.origin) +
             (group.implied ? ", peering back" : "");
    out.who = group.node;
    out.with = group.neighbor;
    if (!one_node && group.nodes > 1)
        out.who = mesh ? fmt::format("{} nodes", group.nodes)
                       : fmt::format("{} nodes ({}, ...)", group.nodes, group.node);
    if (!one_node && group.neighbors > 1)
        out.with = mesh ? fmt::format("each other ({})", counted(group.ends / 2, "session"))
                        : fmt::format("{} neighbours ({}, ...)", group.neighbors, group.neighbor);
    out.what = numbers_of(group, mesh && !one_node) + role_of(group) + traits_of(group, one_node);
    out.takes = fmt::format("{}", fmt::join(group.import_filters, ", "));
    out.gives = fmt::format("{}", fmt::join(group.export_filters, ", "));
    return out;
}

std::string assumed_block_text(const RoutedInput& routed, const routing::Block& block) {
    return fmt::format("assumed: the input has no BlockAffinity; {} makes such blocks",
                       routed.text_of(block.origin));
}

FaultText describe(const RoutedInput& routed, const routing::SessionFault& fault) {
    FaultText out{fault.certain ? "will not establish" : "may not establish",
                  fmt::format("{} with {}", fault.node, fault.neighbor), fault.reason,
                  routed.text_of(fault.here), ""};
    if (fault.sessions > 1)
        out.ends += fmt::format(" and {} more", counted(fault.sessions - 1, "session"));
    if (!fault.there.object.empty())
        out.there = routed.text_of(fault.there);
    return out;
}

std::vector<routing::SessionFault> by_certainty(std::vector<routing::SessionFault> faults) {
    std::stable_partition(faults.begin(), faults.end(),
                          [](const auto& each) { return each.certain; });
    return faults;
}

MeshAdvice advice_on(const routing::MeshSize& mesh) {
    if (!mesh.advises_reflectors())
        return {};
    return {fmt::format("the mesh joins {} nodes by {} sessions, {} at each node; with {} route "
                        "reflectors instead there are {} ({})",
                        mesh.nodes, mesh.sessions, mesh.nodes - 1, mesh.kReflectors,
                        mesh.with_reflectors(), net::to_string(mesh.family)),
            fmt::format("give {} nodes a routeReflectorClusterID and a label, let a BGPPeer join "
                        "all nodes (nodeSelector: all()) with them (peerSelector), then set "
                        "nodeToNodeMeshEnabled: false",
                        mesh.kReflectors)};
}

std::vector<std::string> left_out_notes(const routing::ClusterRouting& routing) {
    std::vector<std::string> out, names, peers;
    for (const routing::BgpNode& each : routing.nodes)
        if (!each.v4 && !each.v6)
            names.push_back(each.name);
    if (!names.empty() && names.size() < routing.nodes.size())
        out.push_back(fmt::format("left out, as no address for BGP is known of them (calicoctl get "
                                  "nodes -o yaml says it): {} {}",
                                  names.size() == 1 ? "node" : "nodes", listed(names)));
    for (const routing::BgpPeer& each : routing.peers)
        if (each.nodes.empty() || (each.to == routing::BgpPeer::To::Nodes && each.remote.empty()))
            peers.push_back(each.name);
    if (!peers.empty() && !routing.nodes.empty())
        out.push_back(fmt::format("{} {} {} no session among the nodes of the input",
                                  peers.size() == 1 ? "BGPPeer" : "BGPPeers", listed(peers),
                                  peers.size() == 1 ? "makes" : "make"));
    return out;
}

} // namespace polecat::driver
