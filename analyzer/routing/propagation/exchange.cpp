// RFC 4271 (BGP-4), RFC 4456 (route reflection), RFC 1997 (communities), where they leave a choice
// as BIRD 2 does it.
#include "analyzer/routing/propagation/exchange.h"

#include <algorithm>
#include <tuple>

namespace polecat::routing {

namespace {

bool contains(const std::vector<net::Address>& list, const net::Address& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

net::Address router_id(const NodeRouting& form) {
    return net::parse_address(form.router_id).value_or(net::Address{});
}

/// RFC 1997: NO_EXPORT and NO_EXPORT_SUBCONFED stay inside, NO_ADVERTISE goes nowhere.
bool may_leave(const Route& route, bool internal) {
    constexpr std::uint32_t kWellKnown = 65535;
    constexpr std::uint32_t kNoExport = 65281, kNoAdvertise = 65282, kNoExportSubconfed = 65283;
    return std::none_of(
        route.communities.begin(), route.communities.end(), [&](const Community& each) {
            return !each.is_large() && each.parts[0] == kWellKnown &&
                   (each.parts[1] == kNoAdvertise ||
                    (!internal &&
                     (each.parts[1] == kNoExport || each.parts[1] == kNoExportSubconfed)));
        });
}

/// RFC 4271 9.2: what came by iBGP does not go to iBGP; RFC 4456 6: unless one of the two sessions
/// is with a client. `from` is the session that the route came by.
bool reflects(const Session& from, const Session& to) {
    return from.is_internal() && to.is_internal() && from.local_as == to.local_as;
}
/// RFC 4456 8. A reflector between two clusters writes both.
void mark_reflected(const Network& network, const Session& from, const Session& to, Path& path) {
    if (!path.originator)
        path.originator = router_id(network.speakers[path.journey.back()].form);
    const auto prepend = [&](const net::Address& id) {
        path.cluster_list.insert(path.cluster_list.begin(), id);
    };
    if (from.reflector_cluster)
        prepend(*from.reflector_cluster);
    if (to.reflector_cluster && to.reflector_cluster != from.reflector_cluster)
        prepend(*to.reflector_cluster);
}

/// RFC 4271 5.1.3: kept inside the AS, the sender's own address outside.
void set_next_hop(const FamilyRouting& sender, const Session& to, Route& route) {
    const bool keep = route.next_hop && (to.next_hop == NextHop::Keep ||
                                         (to.next_hop == NextHop::Auto && to.is_internal()));
    if (!keep)
        route.next_hop = to.source ? to.source : sender.address;
}

std::uint32_t local_preference(const Path& path) {
    return path.route.local_preference.value_or(kUsualLocalPreference);
}

/// Of which more is better comes negated.
auto rank(const Path& path) {
    return std::tuple(-std::int64_t{path.preference}, -std::int64_t{local_preference(path)},
                      path.route.as_path.size(), path.internal);
}

} // namespace

const Session& session_of(const Network& network, SpeakerIndex speaker, std::size_t session) {
    return network.speakers[speaker].form.of(network.family).sessions[session];
}

std::string_view to_string(Withheld why) {
    switch (why) {
    case Withheld::BackToSender:
        return "a route never goes back over the session that it came by";
    case Withheld::Internal:
        return "it came by iBGP, and neither neighbour is a route reflector's client";
    case Withheld::Reflected:
        return "it has been through this reflector's cluster";
    case Withheld::Community:
        return "its community keeps it here (no-export, no-advertise)";
    case Withheld::No:
        break;
    }
    return "";
}

Withheld withheld(const Network& network, const Link& link, const Path& path) {
    if (!path.session)
        return Withheld::No; // its own
    if (path.session == link.from_session)
        return Withheld::BackToSender;
    const Session& to = session_of(network, link.from, link.from_session);
    const Session& from = session_of(network, link.from, *path.session);
    if (reflects(from, to) && !from.reflector_cluster && !to.reflector_cluster)
        return Withheld::Internal;
    if (reflects(from, to) && to.reflector_cluster &&
        contains(path.cluster_list, *to.reflector_cluster))
        return Withheld::Reflected;
    return may_leave(path.route, to.is_internal()) ? Withheld::No : Withheld::Community;
}

std::optional<Path> send(const Network& network, const Link& link, const Path& path) {
    if (withheld(network, link, path) != Withheld::No)
        return std::nullopt;
    const FamilyRouting& sender = network.speakers[link.from].form.of(network.family);
    const Session& to = session_of(network, link.from, link.from_session);
    const bool internal = to.is_internal();
    const Session* from = path.session ? &session_of(network, link.from, *path.session) : nullptr;
    const bool reflected = from != nullptr && reflects(*from, to);
    RouteVerdict verdict = evaluate_export(sender, to, path.route);
    if (!verdict.accepted())
        return std::nullopt;
    Path out = path;
    out.route = std::move(verdict.route);
    out.route.source = RouteSource::Bgp;
    out.route.metric.reset();
    set_next_hop(sender, to, out.route);
    if (reflected)
        mark_reflected(network, *from, to, out);
    if (!internal) {
        // After the export filter, as BIRD 2 does (RFC 4271 5.1.2); the rest is not for outside:
        // LOCAL_PREF (5.1.5), ORIGINATOR_ID and CLUSTER_LIST (RFC 4456 8: optional,
        // non-transitive).
        out.route.as_path.insert(out.route.as_path.begin(), to.local_as);
        out.route.local_preference.reset();
        out.originator.reset();
        out.cluster_list.clear();
    }
    out.journey.push_back(link.from);
    return out;
}

std::optional<Path> receive(const Network& network, const Link& link, Path path) {
    const NodeRouting& receiver = network.speakers[link.to].form;
    const FamilyRouting& form = receiver.of(network.family);
    const Session& session = session_of(network, link.to, link.to_session);
    const auto& as_path = path.route.as_path;
    const auto own = std::count(as_path.begin(), as_path.end(), session.local_as);
    if (own > std::int64_t{session.allowed_local_as})
        return std::nullopt; // RFC 4271 9.1.2
    if (path.originator == router_id(receiver))
        return std::nullopt; // RFC 4456 8
    // BIRD looks on sessions with clients only; others are stopped when they would be reflected.
    if (session.reflector_cluster && contains(path.cluster_list, *session.reflector_cluster))
        return std::nullopt;
    if (path.route.next_hop == form.address)
        return std::nullopt; // RFC 4271 6.3
    RouteVerdict verdict = evaluate_import(form, session, std::move(path.route));
    if (!verdict.accepted())
        return std::nullopt;
    path.route = std::move(verdict.route);
    path.session = link.to_session;
    path.internal = session.is_internal();
    path.preference = verdict.preference.value_or(kBgpPreference);
    return path;
}

bool clearly_better(const Path& a, const Path& b) {
    return rank(a) < rank(b);
}

bool equally_good(const Path& a, const Path& b) {
    return a.session && b.session && rank(a) == rank(b);
}

bool better(const Network& network, const Path& a, const Path& b) {
    if (rank(a) != rank(b))
        return rank(a) < rank(b);
    if (a.session.has_value() != b.session.has_value())
        return !a.session; // of equal preference BIRD takes any; here the node's own
    if (!a.session)
        return false;
    // RFC 4271 9.1.2.2 f and g, RFC 4456 9 between them.
    const auto last = [&](const Path& path) {
        const NodeRouting& sender = network.speakers[path.journey.back()].form;
        return std::tuple(path.originator.value_or(router_id(sender)), path.cluster_list.size(),
                          sender.of(network.family).address, path.journey, *path.session);
    };
    return last(a) < last(b);
}

} // namespace polecat::routing
