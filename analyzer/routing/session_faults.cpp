#include "analyzer/routing/session_faults.h"

#include <algorithm>

#include <fmt/format.h>

namespace polecat::analyzer {

using routing::BgpNode;
using routing::NodeIndex;
using routing::NodeRouting;
using routing::Origin;
using routing::Session;

std::string_view to_string(SessionFaultKind kind) {
    switch (kind) {
    case SessionFaultKind::AsDisagrees:
        return "as-disagrees";
    case SessionFaultKind::NotBack:
        return "not-back";
    case SessionFaultKind::NobodyCalls:
        return "nobody-calls";
    case SessionFaultKind::TtlOneSide:
        return "ttl-one-side";
    case SessionFaultKind::PasswordOneSide:
        return "password-one-side";
    case SessionFaultKind::InventoryDisagrees:
        return "inventory-disagrees";
    case SessionFaultKind::RouterExpects:
        return "router-expects";
    }
    return "";
}

SessionFaults::SessionFaults(const policy::Cluster& cluster, const routing::ClusterRouting& routing,
                             const std::vector<NodeRouting>& nodes, net::Family family)
    : cluster_(cluster), routing_(routing), family_(family), lines_(cluster, routing) {
    for (const BgpNode& node : routing.nodes)
        if (const auto& address = node.of(family))
            by_address_.emplace(address->address, &node);
    for (const NodeRouting& node : nodes)
        forms_.emplace(node.node, &node);
}

const BgpNode* SessionFaults::neighbor(const Session& session) const {
    const auto found = by_address_.find(session.neighbor);
    return found == by_address_.end() ? nullptr : found->second;
}

void SessionFaults::check(const NodeRouting& node, const Session& session) {
    if (const BgpNode* other = neighbor(session))
        check_node(node, session, *other);
    else if (session.kind != routing::SessionKind::LocalWorkload)
        check_router(node, session);
}

// --- between nodes -------------------------------------------------------------------------------

Origin SessionFaults::shown_line(const BgpNode& node, const Session& session) const {
    return session.local_as_given ? lines_.field(session.origin, "localASNumber")
                                  : lines_.as_of(node);
}

/// An address has its number beside it; nodes that a selector names bring their own.
Origin SessionFaults::expected_line(const BgpNode& other, const Session& session) const {
    for (const routing::BgpPeer& peer : routing_.peers)
        if (peer.to == routing::BgpPeer::To::Address && !session.notes.implied &&
            session.origin.object == "BGPPeer " + peer.name)
            return lines_.field(session.origin, "asNumber");
    return lines_.as_of(other);
}

void SessionFaults::check_node(const NodeRouting& node, const Session& session,
                               const BgpNode& other) {
    const auto form = forms_.find(other.name);
    if (form == forms_.end())
        return; // refused, and reported
    const auto& theirs = form->second->of(family_).sessions;
    const auto own = node.of(family_).address;
    const auto back = std::find_if(theirs.begin(), theirs.end(),
                                   [&](const Session& each) { return each.neighbor == own; });
    if (back != theirs.end())
        return check_both(node, session, *form->second, *back);
    const BgpNode& here = routing_.nodes[*routing_.find(node.node)];
    const bool meshed = routing_.mesh && !other.cluster_id && !here.cluster_id;
    const net::AsNumber shown = routing_.as_of(other);
    if (session.neighbor_as != shown)
        return report(SessionFaultKind::AsDisagrees, node, session,
                      fmt::format("it expects AS {} of node {}, which has AS {}",
                                  session.neighbor_as, other.name, shown),
                      lines_.field(session.origin, "asNumber"), lines_.as_of(other));
    if (!meshed)
        report(SessionFaultKind::NotBack, node, session,
               fmt::format("node {} has no session with it: no BGPPeer is for it, and this one "
                           "does not make it peer back",
                           other.name),
               lines_.field(session.origin, "reversePeering"), other.origin);
}

void SessionFaults::check_both(const NodeRouting& node, const Session& session,
                               const NodeRouting& other, const Session& back) {
    const BgpNode& here = routing_.nodes[*routing_.find(node.node)];
    const BgpNode& there = routing_.nodes[*routing_.find(other.node)];
    if (session.neighbor_as != back.local_as)
        report(SessionFaultKind::AsDisagrees, node, session,
               fmt::format("it expects AS {}, and node {} shows it AS {}", session.neighbor_as,
                           other.node, back.local_as),
               expected_line(there, session), shown_line(there, back));
    if (node.node > other.node)
        return; // what follows is said once
    const bool calls = !session.passive && session.port == other.listen_port;
    const bool called = !back.passive && back.port == node.listen_port;
    if (!calls && !called)
        report(SessionFaultKind::NobodyCalls, node, session,
               session.passive && back.passive
                   ? "both ends only listen"
                   : fmt::format("nobody listens where the ends call: port {} of {}, port {} of {}",
                                 session.port, other.node, back.port, node.node),
               session.origin, back.origin);
    if (session.ttl_security_hops.has_value() != back.ttl_security_hops.has_value())
        report(SessionFaultKind::TtlOneSide, node, session,
               fmt::format("node {} checks the TTL, and node {} does not send for it",
                           session.ttl_security_hops ? node.node : other.node,
                           session.ttl_security_hops ? other.node : node.node),
               lines_.field(session.origin, "ttlSecurity"),
               lines_.field(back.origin, "ttlSecurity"));
    if (session.password.has_value() != back.password.has_value())
        report(SessionFaultKind::PasswordOneSide, node, session,
               fmt::format("node {} has a password for it, and node {} has none",
                           session.password ? here.name : there.name,
                           session.password ? there.name : here.name),
               lines_.field(session.origin, "password"), lines_.field(back.origin, "password"));
}

void SessionFaults::check_mesh(const std::vector<NodeIndex>& members,
                               std::optional<NodeIndex> only) {
    std::map<net::AsNumber, std::vector<NodeIndex>> other; // own number, not the cluster's
    std::vector<NodeIndex> plain;                          // without one
    for (const NodeIndex each : members) {
        const BgpNode& node = routing_.nodes[each];
        if (!node.own_as)
            plain.push_back(each);
        else if (*node.own_as != routing_.as)
            other[*node.own_as].push_back(each);
    }
    const auto narrow = [&](std::vector<NodeIndex>& list) {
        if (std::find(list.begin(), list.end(), *only) != list.end())
            list = {*only};
    };
    if (only)
        narrow(plain);
    for (auto& [as, nodes] : other) {
        if (only)
            narrow(nodes);
        const bool about = !only || nodes.front() == *only ||
                           (!plain.empty() && plain.front() == *only && plain.size() == 1);
        if (plain.empty() || !about)
            continue;
        const BgpNode &first = routing_.nodes[nodes.front()],
                      &second = routing_.nodes[plain.front()];
        report(SessionFaultKind::AsDisagrees, first.name, second.name, nodes.size() * plain.size(),
               fmt::format("it takes node {} to have its own AS {}, and that has AS {}",
                           second.name, as, routing_.as),
               lines_.as_of(first), second.origin);
    }
}

// --- with routers --------------------------------------------------------------------------------

void SessionFaults::check_router(const NodeRouting& node, const Session& session) {
    const auto& labels = routing_.nodes[*routing_.find(node.node)].labels;
    std::vector<const policy::FabricRouter*> there, near; // at the address; of the node's rack
    for (const policy::FabricInventory& inventory : cluster_.inventories) {
        const auto of_rack = [&](const policy::FabricRouter& router) {
            return !router.rack ||
                   std::any_of(inventory.racks.begin(), inventory.racks.end(),
                               [&](const policy::FabricRack& rack) {
                                   return rack.name.value == router.rack->value &&
                                          rack.node_selector &&
                                          rack.node_selector->parsed.matches(labels);
                               });
        };
        for (const policy::FabricRouter& router : inventory.routers)
            if (router.address.value == session.neighbor) {
                there.push_back(&router);
                if (of_rack(router))
                    near.push_back(&router);
            }
    }
    if (near.empty())
        near = there;
    const auto title = [](const policy::FabricRouter& router) {
        return router.name.empty() ? net::to_string(router.address.value) : router.name;
    };
    const auto wrong = [&](const policy::FabricRouter* router) {
        return router->as_number.value != session.neighbor_as;
    };
    if (!near.empty() && std::all_of(near.begin(), near.end(), wrong))
        report(SessionFaultKind::InventoryDisagrees, node, session,
               fmt::format("it expects AS {} of router {}, which has AS {} by the inventory",
                           session.neighbor_as, title(*near.front()),
                           near.front()->as_number.value),
               lines_.field(session.origin, "asNumber"),
               {"FabricInventory", near.front()->as_number.span});
    if (near.size() != 1 || !near.front()->node_as_number ||
        near.front()->node_as_number->value == session.local_as)
        return;
    const auto& expected = *near.front()->node_as_number;
    report(SessionFaultKind::RouterExpects, node, session,
           fmt::format("router {} expects AS {} of it, and it shows AS {}", title(*near.front()),
                       expected.value, session.local_as),
           shown_line(routing_.nodes[*routing_.find(node.node)], session),
           {"FabricInventory", expected.span});
}

// --- faults --------------------------------------------------------------------------------------

void SessionFaults::report(SessionFaultKind kind, const NodeRouting& node, const Session& session,
                           std::string reason, Origin here, Origin there) {
    report(kind, node.node, routing::endpoint_text(session.neighbor, session.port), 1,
           std::move(reason), std::move(here), std::move(there));
}

void SessionFaults::report(SessionFaultKind kind, const std::string& node,
                           const std::string& neighbor, std::uint64_t count, std::string reason,
                           Origin here, Origin there) {
    // Nodes that are alike differ in their own lines only.
    const bool by_here = there.object.starts_with("Node ") && here.span.known();
    const std::tuple key{kind, here.span, by_here ? Span{} : there.span};
    const auto [found, fresh] = places_.emplace(key, faults_.size());
    if (fresh)
        faults_.push_back(
            {kind, std::move(reason), node, neighbor, 0, std::move(here), std::move(there)});
    faults_[found->second].sessions += count;
}

} // namespace polecat::analyzer
