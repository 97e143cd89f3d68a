#include "analyzer/routing/propagation.h"

#include <algorithm>
#include <map>

#include "analyzer/routing/exchange.h"
#include "analyzer/routing/session_ends.h"

namespace polecat::routing {

namespace {

/// More paths of one prefix than any speaker should have: many reflectors with IDs of their own.
constexpr std::size_t kMostPaths = 2000;

bool originates(const FamilyRouting& form, const net::Cidr& prefix) {
    return std::any_of(form.blocks.begin(), form.blocks.end(),
                       [&](const Block& each) { return each.originates && each.cidr == prefix; }) ||
           std::any_of(form.services.begin(), form.services.end(),
                       [&](const PrefixLine& each) { return each.prefix == prefix; });
}

Path own_path(const net::Cidr& prefix) {
    Path out;
    out.route.prefix = prefix;
    out.route.source = RouteSource::Static;
    out.preference = kStaticPreference;
    return out;
}

/// What arrives over one link of what the sender has.
void take(const Network& network, const Link& link, const std::vector<Path>& sent,
          std::vector<Path>& into) {
    const bool all = !network.speakers[link.from].fabric && !network.speakers[link.to].fabric;
    for (const Path& path : sent) {
        // Which of equally good ones a router takes, its age and identifiers decide: any of them.
        if (!all && clearly_better(sent.front(), path))
            return;
        if (auto offered = send(network, link, path))
            if (auto taken = receive(network, link, std::move(*offered)))
                into.push_back(std::move(*taken));
    }
}

/// By neighbour, the session that takes part: of several BIRD starts the first.
using Ends = std::map<net::Address, std::size_t>;

Ends ends_of(const FamilyRouting& form) {
    Ends out;
    for (std::size_t i = 0; i < form.sessions.size(); ++i)
        out.emplace(form.sessions[i].neighbor, i);
    return out;
}

} // namespace

bool establishes(const NodeRouting& a, const Session& of_a, const NodeRouting& b,
                 const Session& of_b) {
    return !mismatch(of_a, a.listen_port, of_b, b.listen_port).any();
}

Network connect(std::vector<Speaker> speakers, net::Family family) {
    Network out{family, std::move(speakers), {}};
    std::map<net::Address, SpeakerIndex> at;
    std::vector<Ends> ends;
    for (SpeakerIndex i = 0; i < out.speakers.size(); ++i) {
        const FamilyRouting& form = out.speakers[i].form.of(family);
        ends.push_back(ends_of(form));
        if (form.address)
            at.emplace(*form.address, i);
    }
    for (SpeakerIndex to = 0; to < out.speakers.size(); ++to) {
        const NodeRouting& form = out.speakers[to].form;
        const auto& address = form.of(family).address;
        for (const auto& [neighbor, end] : ends[to]) {
            const auto from = at.find(neighbor);
            if (!address || from == at.end() || from->second == to)
                continue;
            const NodeRouting& other = out.speakers[from->second].form;
            const auto back = ends[from->second].find(*address);
            if (back != ends[from->second].end() &&
                establishes(form, form.of(family).sessions[end], other,
                            other.of(family).sessions[back->second]))
                out.links.push_back({from->second, to, back->second, end});
        }
    }
    return out;
}

Speaker fabric_speaker(const policy::FabricRouter& router, const std::vector<Speaker>& nodes,
                       net::Family family) {
    Speaker out;
    out.fabric = true;
    out.form.node = router.name;
    out.form.router_id = net::to_string(router.address.value);
    out.form.local_as = router.as_number.value;
    FamilyRouting& form = out.form.of(family);
    form.family = family;
    form.address = router.address.value;
    form.filters = {{"all", {}, {FilterRule{}}, {}}};
    for (const Speaker& node : nodes)
        for (const Session& theirs : node.form.of(family).sessions) {
            if (theirs.neighbor != router.address.value || !node.form.of(family).address)
                continue;
            Session session;
            session.kind = SessionKind::Node;
            session.neighbor = *node.form.of(family).address;
            session.port = node.form.listen_port;
            session.local_as = router.as_number.value;
            session.neighbor_as =
                router.node_as_number ? router.node_as_number->value : theirs.local_as;
            session.ttl_security_hops = theirs.ttl_security_hops;
            session.password = theirs.password;
            session.export_filters = {"all"};
            form.sessions.push_back(std::move(session));
        }
    return out;
}

Spread spread(const Network& network, const net::Cidr& prefix) {
    const std::size_t count = network.speakers.size();
    Spread out;
    out.paths.resize(count);
    std::vector<bool> changed(count);
    for (std::size_t i = 0; i < count; ++i)
        if (originates(network.speakers[i].form.of(network.family), prefix)) {
            out.paths[i] = {own_path(prefix)};
            changed[i] = true;
        }
    // Rounds: everybody hears what the others had in the round before. A route makes one step a
    // round, and no route that settles makes more steps than there are speakers, twice.
    for (std::size_t round = 0; round < 2 * count + 2; ++round) {
        std::vector<bool> hears(count);
        for (const Link& link : network.links)
            if (changed[link.from])
                hears[link.to] = true;
        const auto before = out.paths;
        changed.assign(count, false);
        bool any = false;
        for (auto link = network.links.begin(); link != network.links.end();) {
            const SpeakerIndex to = link->to;
            std::vector<Path> now;
            for (const Path& each : before[to])
                if (!each.session)
                    now.push_back(each);
            for (; link != network.links.end() && link->to == to; ++link)
                if (hears[to])
                    take(network, *link, before[link->from], now);
            if (!hears[to])
                continue;
            std::sort(now.begin(), now.end(),
                      [&](const Path& a, const Path& b) { return better(network, a, b); });
            changed[to] = now != before[to];
            any = any || changed[to];
            out.settled = now.size() <= kMostPaths;
            out.paths[to] = std::move(now);
            if (!out.settled)
                return out;
        }
        if (!any)
            return out;
    }
    out.settled = false;
    return out;
}

} // namespace polecat::routing
