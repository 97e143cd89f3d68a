#include "analyzer/routing/propagation/announcements.h"

#include <algorithm>

#include <fmt/format.h>

#include "analyzer/routing/sessions/session_ends.h"

namespace polecat::routing {

Announcements::Announcements(const ClusterRouting& cluster,
                             std::vector<policy::FabricRouter> routers, net::Family family,
                             LowerNode lower)
    : cluster_(cluster), family_(family), lower_(std::move(lower)),
      model_(cluster, routers, family, lower_), prefixes_(model_.prefixes()) {
    for (policy::FabricRouter& each : routers)
        if (each.address.value.family == family)
            routers_.push_back(std::move(each)); // as the model numbers them
    for (NodeIndex i = 0; i < cluster.nodes.size(); ++i)
        if (const auto& address = cluster.nodes[i].of(family))
            by_address_.emplace(address->address, i);
}

std::vector<NodeIndex> Announcements::origins(const net::Cidr& prefix) const {
    std::vector<NodeIndex> out;
    if (!std::binary_search(prefixes_.begin(), prefixes_.end(), prefix))
        return out;
    const FamilyShared& shared = cluster_.of(family_);
    const auto has = [&](const std::vector<PrefixLine>& lines) {
        return std::any_of(lines.begin(), lines.end(),
                           [&](const PrefixLine& line) { return line.prefix == prefix; });
    };
    const bool of_all = has(shared.announced_ranges) || has(shared.services);
    for (NodeIndex i = 0; i < cluster_.nodes.size(); ++i) {
        const BgpNode& node = cluster_.nodes[i];
        const bool block =
            std::any_of(node.blocks.begin(), node.blocks.end(),
                        [&](const Block& each) { return each.originates && each.cidr == prefix; });
        if (node.of(family_) &&
            (block || (node.announces_services && (of_all || has(node.services)))))
            out.push_back(i);
    }
    return out;
}

std::vector<net::Cidr> Announcements::holding(const net::Address& address) const {
    std::vector<net::Cidr> out;
    for (const net::Cidr& each : prefixes_)
        if (each.contains(address) && !origins(each).empty())
            out.push_back(each);
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.prefix > b.prefix; });
    return out;
}

std::vector<net::Cidr> Announcements::inside(const net::Cidr& range) const {
    std::vector<net::Cidr> out;
    for (const net::Cidr& each : prefixes_)
        if (each != range && each.prefix > range.prefix && range.contains(each.base))
            out.push_back(each);
    return out;
}

std::vector<Announcements::Alike> Announcements::alike(const net::Cidr& prefix,
                                                       std::optional<NodeIndex> except) const {
    const std::vector<NodeIndex> origin = origins(prefix);
    std::vector<Alike> out;
    for (const bool own : {true, false})
        for (const auto& members : model_.classes().members) {
            Alike of_class{0, 0, own};
            for (const NodeIndex each : members)
                if (each != except && cluster_.nodes[each].of(family_) &&
                    std::binary_search(origin.begin(), origin.end(), each) == own &&
                    ++of_class.count == 1)
                    of_class.node = each;
            if (of_class.count != 0)
                out.push_back(of_class);
        }
    return out;
}

/// With the sessions of `form` that they came by.
std::vector<Path> Announcements::paths(NodeIndex node, const net::Cidr& prefix,
                                       const NodeRouting& form) {
    std::vector<Path> out = model_.learnt(node, prefix).paths;
    const auto& sessions = form.of(family_).sessions;
    for (Path& path : out) {
        if (!path.session)
            continue;
        const SpeakerIndex last = path.journey.back();
        const net::Address from = last < cluster_.nodes.size()
                                      ? cluster_.nodes[last].of(family_)->address
                                      : routers_[last - cluster_.nodes.size()].address.value;
        const auto by = std::find_if(sessions.begin(), sessions.end(),
                                     [&](const Session& each) { return each.neighbor == from; });
        path.session = static_cast<std::size_t>(by - sessions.begin());
    }
    std::erase_if(out, [&](const Path& path) { return path.session == sessions.size(); });
    return out;
}

bool Announcements::establishes(NodeIndex node, const NodeRouting& form,
                                const Session& session) const {
    const auto other = by_address_.find(session.neighbor);
    if (other == by_address_.end())
        return std::none_of(routers_.begin(), routers_.end(), [&](const auto& router) {
            return router.address.value == session.neighbor &&
                   (router.as_number.value != session.neighbor_as ||
                    (router.node_as_number && router.node_as_number->value != session.local_as));
        });
    const BgpNode &here = cluster_.nodes[node], &there = cluster_.nodes[other->second];
    if (session.kind == SessionKind::Mesh)
        return !mismatch(session, form.listen_port, mesh_session(cluster_, there, here, family_),
                         cluster_.port_of(there))
                    .any();
    const auto back = lower_(cluster_, other->second);
    if (!back)
        return false;
    const auto& sessions = back->of(family_).sessions;
    return std::any_of(sessions.begin(), sessions.end(), [&](const Session& each) {
        return each.neighbor == here.of(family_)->address &&
               !mismatch(session, form.listen_port, each, back->listen_port).any();
    });
}

std::vector<Announcement> Announcements::of(NodeIndex node, const net::Cidr& prefix, Trail trail) {
    const auto form = lower_(cluster_, node);
    std::vector<Announcement> out;
    if (!form)
        return out;
    std::vector<Path> known = paths(node, prefix, *form);
    if (known.empty())
        return out;
    // Who sent a path matters for what is sent on, not for whether it is.
    for (Path& path : known)
        if (path.session)
            path.journey = {0};
    const Network network{family_, {{*form, false}}, {}};
    const auto& sessions = form->of(family_).sessions;
    for (std::size_t i = 0; i < sessions.size(); ++i) {
        Announcement each;
        each.node = node;
        each.session = sessions[i];
        const auto other = by_address_.find(sessions[i].neighbor);
        const std::string end = endpoint_text(sessions[i].neighbor, sessions[i].port);
        each.neighbor = other == by_address_.end()
                            ? end
                            : fmt::format("node {} ({})", cluster_.nodes[other->second].name, end);
        each.establishes = establishes(node, *form, sessions[i]);
        for (const Path& path : known) { // the first that leaves; otherwise the best
            const Withheld why = withheld(network, {0, 0, i, 0}, path);
            RouteVerdict verdict;
            if (why == Withheld::No)
                verdict = evaluate_export(form->of(family_), sessions[i], path.route, trail);
            const bool leaves = why == Withheld::No && verdict.accepted();
            if (&path != &known.front() && !leaves)
                continue;
            each.own = !path.session;
            each.withheld = why;
            each.verdict = std::move(verdict);
            if (leaves) {
                each.sent = send(network, {0, 0, i, 0}, path)->route;
                break;
            }
        }
        out.push_back(std::move(each));
    }
    return out;
}

} // namespace polecat::routing
