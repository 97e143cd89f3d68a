#include "analyzer/routing/sessions/session_faults.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace polecat::routing {

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
    case SessionFaultKind::PasswordsApart:
        return "passwords-apart";
    case SessionFaultKind::NoAddress:
        return "no-address";
    case SessionFaultKind::InventoryDisagrees:
        return "inventory-disagrees";
    case SessionFaultKind::RouterExpects:
        return "router-expects";
    case SessionFaultKind::RouterUnknown:
        return "router-unknown";
    }
    return "";
}

SessionFaults::SessionFaults(const policy::Cluster& cluster, const ClusterRouting& routing)
    : routing_(routing), lines_(cluster), fabric_(cluster, routing) {}

// --- between nodes -------------------------------------------------------------------------------

bool SessionFaults::check(const NodePair& pair) {
    found_.clear();
    if (pair.of_a == nullptr || pair.of_b == nullptr) {
        const End here = pair.of_a != nullptr ? End{pair.a, pair.of_a} : End{pair.b, pair.of_b};
        not_back(here, pair.of_a != nullptr ? pair.b : pair.a);
        return true;
    }
    const End a{pair.a, pair.of_a}, b{pair.b, pair.of_b};
    const std::uint16_t port_a = routing_.port_of(node(pair.a)),
                        port_b = routing_.port_of(node(pair.b));
    const Mismatch wrong = mismatch(*a.session, port_a, *b.session, port_b);
    if (wrong.as_number)
        a.session->neighbor_as != b.session->local_as ? check_as(a, b) : check_as(b, a);
    if (wrong.nobody_calls)
        report(SessionFaultKind::NobodyCalls, a,
               a.session->passive && b.session->passive
                   ? fmt::format("both it and node {} only listen", node(b.node).name)
                   : fmt::format("nobody calls where the other listens: node {} listens on port "
                                 "{}, node {} on port {}",
                                 node(a.node).name, port_a, node(b.node).name, port_b),
               lines_.field(a.session->origin, "peerIP"),
               lines_.field(b.session->origin, "peerIP"));
    if (wrong.ttl_security)
        a.session->ttl_security_hops ? check_ttl(a, b) : check_ttl(b, a);
    check_passwords(a, b);
    return wrong.any();
}

void SessionFaults::check_ttl(const End& with, const End& without) {
    report(SessionFaultKind::TtlOneSide, with,
           fmt::format("it checks the TTL (ttlSecurity), and node {} does not send for that",
                       node(without.node).name),
           lines_.field(with.session->origin, "ttlSecurity"),
           lines_.field(without.session->origin, "ttlSecurity"));
}

void SessionFaults::check_passwords(const End& a, const End& b) {
    const auto &of_a = a.session->password, &of_b = b.session->password;
    const auto line = [&](const End& end) {
        return lines_.field(end.session->origin, end.session->kind == SessionKind::Mesh
                                                     ? "nodeMeshPassword.secretKeyRef.name"
                                                     : "password.secretKeyRef.name");
    };
    if (of_a.has_value() != of_b.has_value()) {
        const End &with = of_a ? a : b, &without = of_a ? b : a;
        report(SessionFaultKind::PasswordOneSide, with,
               fmt::format("it has a password, and node {} has none", node(without.node).name),
               line(with), line(without));
    } else if (of_a != of_b) {
        report(SessionFaultKind::PasswordsApart, a,
               fmt::format("its password is key {} of Secret {}, that of node {} key {} of Secret "
                           "{}: both must hold the same text",
                           of_a->key, of_a->secret, node(b.node).name, of_b->key, of_b->secret),
               line(a), line(b));
    }
}

void SessionFaults::check_as(const End& here, const End& there, std::uint64_t count) {
    const BgpNode& other = node(there.node);
    const bool by_mesh = here.session->kind == SessionKind::Mesh && !other.own_as;
    std::string reason =
        by_mesh ? fmt::format("the mesh takes node {} to have AS {}, as this one, since it has no "
                              "number of its own; it shows AS {}",
                              other.name, here.session->neighbor_as, there.session->local_as)
                : fmt::format("it expects AS {} of node {}, which shows it AS {}",
                              here.session->neighbor_as, other.name, there.session->local_as);
    if (there.session->neighbor_as != here.session->local_as)
        reason += fmt::format("; that expects AS {} of it, and it shows AS {}",
                              there.session->neighbor_as, here.session->local_as);
    report(SessionFaultKind::AsDisagrees, here, std::move(reason), expected_line(here, there.node),
           shown_line(there), count);
}

/// Calico makes a node peer back where it knows it by address and AS number, or by selector.
void SessionFaults::not_back(const End& here, NodeIndex other) {
    const BgpNode& there = node(other);
    const net::AsNumber shown = routing_.as_of(there);
    if (here.session->neighbor_as != shown)
        return report(SessionFaultKind::AsDisagrees, here,
                      fmt::format("it expects AS {} of node {}, which has AS {}, and so does not "
                                  "peer back",
                                  here.session->neighbor_as, there.name, shown),
                      expected_line(here, other), lines_.as_of(there));
    const Origin by_hand = lines_.field(here.session->origin, "reversePeering");
    const Origin address = lines_.field(here.session->origin, "peerIP");
    const bool manual = by_hand.span != here.session->origin.span;
    report(SessionFaultKind::NotBack, here,
           fmt::format("node {} has no session with it: {}", there.name,
                       manual ? "no BGPPeer is for it, and reversePeering of this one is Manual"
                              : "Calico takes what peerIP says for a router (docs/routing.md: "
                                "text of the address, port)"),
           manual ? by_hand : address, there.origin);
}

Origin SessionFaults::shown_line(const End& end) const {
    return end.session->local_as_given ? lines_.field(end.session->origin, "localASNumber")
                                       : lines_.as_of(node(end.node));
}

/// An address has its number beside it; nodes that a selector names bring their own.
Origin SessionFaults::expected_line(const End& end, NodeIndex other) const {
    if (end.session->kind == SessionKind::Mesh && !node(other).own_as)
        return lines_.as_of(node(end.node));
    for (const BgpPeer& peer : routing_.peers)
        if (peer.to == BgpPeer::To::Address && !end.session->notes.implied &&
            end.session->origin.object == "BGPPeer " + peer.name)
            return lines_.field(end.session->origin, "asNumber");
    return lines_.as_of(node(other));
}

// --- mesh ----------------------------------------------------------------------------------------

std::uint64_t SessionFaults::check_mesh(const NodePairs& pairs,
                                        const std::vector<NodePair>& replaced, net::Family family,
                                        std::optional<NodeIndex> only) {
    // Only numbers can disagree: of a node with its own number that is not the cluster's, and one
    // without.
    std::map<net::AsNumber, std::vector<NodeIndex>> odd;
    std::vector<NodeIndex> plain;
    const auto is_odd = [&](NodeIndex each) {
        return node(each).own_as && *node(each).own_as != routing_.as;
    };
    for (const NodeIndex each : pairs.mesh())
        if (is_odd(each))
            odd[*node(each).own_as].push_back(each);
        else if (!node(each).own_as)
            plain.push_back(each);
    std::map<net::AsNumber, std::uint64_t> less;
    std::set<std::pair<NodeIndex, NodeIndex>> skipped;
    for (const NodePair& pair : replaced)
        skipped.emplace(pair.a, pair.b);
    for (const NodePair& pair : replaced)
        if ((!only || pair.a == *only || pair.b == *only) && is_odd(pair.a) != is_odd(pair.b) &&
            !node(is_odd(pair.a) ? pair.b : pair.a).own_as)
            ++less[*node(is_odd(pair.a) ? pair.a : pair.b).own_as];
    const auto narrowed = [&](const std::vector<NodeIndex>& list) {
        return only && std::binary_search(list.begin(), list.end(), *only)
                   ? std::vector<NodeIndex>{*only}
                   : list;
    };
    std::uint64_t out = 0;
    for (const auto& [as, nodes] : odd) {
        const std::vector<NodeIndex> some = narrowed(nodes), others = narrowed(plain);
        const std::vector<NodeIndex> one(only ? 1 : 0, only.value_or(0));
        if (only && some != one && others != one)
            continue;
        const std::uint64_t count = std::uint64_t{some.size()} * others.size() - less[as];
        if (count == 0)
            continue;
        NodeIndex one_end = some.front(), other_end = others.front(); // an example
        for (const NodeIndex x : some)
            for (const NodeIndex y : others)
                if (skipped.contains(std::minmax(one_end, other_end))) {
                    one_end = x;
                    other_end = y;
                }
        const BgpNode &here = node(one_end), &there = node(other_end);
        const Session session = mesh_session(routing_, here, there, family),
                      back = mesh_session(routing_, there, here, family);
        check_as({one_end, &session}, {other_end, &back}, count);
        faults_[found_.back()].of_mesh = true;
        out += count;
    }
    return out;
}

// --- with routers --------------------------------------------------------------------------------

bool SessionFaults::check_router(NodeIndex index, const Session& session) {
    found_.clear();
    if (session.kind == SessionKind::LocalWorkload || !fabric_.has_routers())
        return false;
    const End here{index, &session};
    const auto routers = fabric_.routers(session.neighbor, index);
    if (routers.empty()) {
        report(SessionFaultKind::RouterUnknown, here, "the inventory has no such router",
               lines_.field(session.origin, "peerIP"), {});
        return false;
    }
    const bool wrong =
        std::none_of(routers.begin(), routers.end(), [&](const Fabric::Router& each) {
            return each.router->as_number.value == session.neighbor_as;
        });
    if (wrong)
        number_of(here, routers.front());
    return (routers.size() == 1 && number_for(here, routers.front())) || wrong;
}

void SessionFaults::number_of(const End& here, const Fabric::Router& router) {
    const auto& number = router.router->as_number;
    report(SessionFaultKind::InventoryDisagrees, here,
           fmt::format("it expects AS {} of router {}, which has AS {} by the inventory",
                       here.session->neighbor_as, title(*router.router), number.value),
           lines_.field(here.session->origin, "asNumber"), {router.inventory, number.span});
}

/// Without a number of its own for nodes, a router expects what the inventory says of their rack.
bool SessionFaults::number_for(const End& here, const Fabric::Router& router) {
    auto expected = router.router->node_as_number;
    const policy::FabricRack* rack = fabric_.rack(here.node);
    if (!expected && rack != nullptr && router.router->rack &&
        router.router->rack->value == rack->name.value && !here.session->local_as_given)
        expected = rack->node_as_number;
    if (!expected || expected->value == here.session->local_as)
        return false;
    report(SessionFaultKind::RouterExpects, here,
           fmt::format("router {} expects AS {} of it by the inventory, and it shows AS {}",
                       title(*router.router), expected->value, here.session->local_as),
           shown_line(here), {router.inventory, expected->span});
    return true;
}

std::uint64_t SessionFaults::check_addresses(net::Family family, std::optional<NodeIndex> only) {
    // Of a node without any address nothing is known.
    const net::Family other = family == net::Family::V4 ? net::Family::V6 : net::Family::V4;
    std::uint64_t out = 0;
    for (const BgpPeer& peer : routing_.peers) {
        if (peer.to != BgpPeer::To::Address || peer.address.family != family)
            continue;
        std::vector<NodeIndex> without;
        for (const NodeIndex each : peer.nodes)
            if (!node(each).of(family) && node(each).of(other) && (!only || each == *only))
                without.push_back(each);
        if (without.empty())
            continue;
        const bool none = std::none_of(peer.nodes.begin(), peer.nodes.end(), [&](NodeIndex each) {
            return node(each).of(family).has_value();
        });
        const BgpNode& first = node(without.front());
        SessionFault fault{SessionFaultKind::NoAddress,
                           none,
                           fmt::format("the node has no {} address, so Calico makes no session",
                                       net::to_string(family)),
                           first.name,
                           endpoint_text(peer.address, peer.port == 0 ? 179 : peer.port),
                           without.size(),
                           lines_.field(peer.origin, "peerIP"),
                           first.origin};
        faults_.push_back(std::move(fault));
        out += none ? without.size() : 0;
    }
    return out;
}

// --- faults --------------------------------------------------------------------------------------

void SessionFaults::report(SessionFaultKind kind, const End& here, std::string reason, Origin at,
                           Origin there, std::uint64_t count) {
    // Nodes that are alike differ in their own lines only.
    const auto line = [](const Origin& origin) {
        return origin.object.starts_with("Node ") ? Span{} : origin.span;
    };
    const bool by_mesh = here.session->kind == SessionKind::Mesh;
    const std::tuple key{kind, by_mesh ? at.span : here.session->origin.span, line(at),
                         line(there)};
    const auto [found, fresh] = places_.emplace(key, faults_.size());
    const bool certain =
        kind != SessionFaultKind::PasswordsApart && kind != SessionFaultKind::RouterUnknown;
    if (fresh)
        faults_.push_back({kind, certain, std::move(reason), node(here.node).name,
                           endpoint_text(here.session->neighbor, here.session->port), 0,
                           std::move(at), std::move(there)});
    faults_[found->second].sessions += count;
    found_.push_back(found->second);
}

} // namespace polecat::routing
