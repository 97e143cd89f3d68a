#include "analyzer/routing/propagation/acceptance.h"

#include <algorithm>

namespace polecat::routing {

Route told_by(const Session& session, const net::Cidr& prefix) {
    Route out;
    out.prefix = prefix;
    out.next_hop = session.neighbor;
    if (!session.is_internal())
        out.as_path = {session.neighbor_as};
    return out;
}

Acceptance accept(const ClusterRouting& cluster, NodeIndex node, const NodeRouting& form,
                  const Session& session, Route route, Trail trail) {
    const FamilyRouting& family = form.of(session.neighbor.family);
    Acceptance out;
    out.node = node;
    out.session = session;
    out.next_hop = route.next_hop.value_or(session.neighbor);
    const auto own = std::count(route.as_path.begin(), route.as_path.end(), session.local_as);
    out.looped = own > std::int64_t{session.allowed_local_as};
    if (out.looped)
        return out;
    const net::Cidr prefix = route.prefix;
    out.taken = evaluate_import(family, session, std::move(route), trail);
    if (!out.taken.accepted())
        return out;
    const bool has =
        std::any_of(family.blocks.begin(), family.blocks.end(),
                    [&](const Block& each) { return each.originates && each.cidr == prefix; }) ||
        std::any_of(family.services.begin(), family.services.end(),
                    [&](const PrefixLine& each) { return each.prefix == prefix; });
    if (has && out.taken.preference.value_or(kBgpPreference) < kStaticPreference) {
        out.way = Acceptance::Way::Own;
        return out;
    }
    out.written = evaluate_kernel(family, out.taken.route, trail);
    if (!out.written.accepted())
        return out;
    const auto& address = cluster.nodes[node].of(session.neighbor.family);
    out.way = out.written.tunnel                                  ? Acceptance::Way::Tunnel
              : address && address->subnet.contains(out.next_hop) ? Acceptance::Way::Link
                                                                  : Acceptance::Way::Recursive;
    return out;
}

} // namespace polecat::routing
