#include "analyzer/routing/routes/route_stops.h"

#include <algorithm>
#include <functional>
#include <set>

#include <fmt/format.h>

namespace polecat::routing {

namespace {

struct RouteStop {
    SpeakerIndex from = 0, to = 0;
    bool at_sender = true; ///< the sender keeps it; otherwise the receiver refuses it
    std::string why;
    Origin origin;
};

/// Of the best path.
RouteStop stop_of(const Network& network, const Link& link, const Path& path) {
    const Session& to = session_of(network, link.from, link.from_session);
    RouteStop out{link.from, link.to, true, "", to.origin};
    if (const Withheld why = withheld(network, link, path); why != Withheld::No) {
        out.why = to_string(why);
        return out;
    }
    const auto exported =
        evaluate_export(network.speakers[link.from].form.of(network.family), to, path.route);
    if (!exported.accepted()) {
        out.why = to_string(exported.trail.back());
        if (!exported.trail.back().origin.object.empty())
            out.origin = exported.trail.back().origin;
        return out;
    }
    out.at_sender = false;
    const Session& from = session_of(network, link.to, link.to_session);
    out.origin = from.origin;
    out.why = "refused: its own AS number, ID or address is in the route (RFC 4271, 4456)";
    if (const auto sent = send(network, link, path)) {
        const auto imported =
            evaluate_import(network.speakers[link.to].form.of(network.family), from, sent->route);
        if (!imported.accepted()) {
            out.why = to_string(imported.trail.back());
            out.origin = imported.trail.back().origin;
        }
    }
    return out;
}

std::string name_of(const Speaker& speaker) {
    const NodeRouting& form = speaker.form;
    return speaker.fabric ? fmt::format("router {}", form.node.empty() ? form.router_id : form.node)
                          : "node " + form.node;
}

} // namespace

std::vector<MissingRoute::Step> stop_steps(const Network& network, const Spread& spread,
                                           std::optional<SpeakerIndex> at,
                                           const std::map<SpeakerIndex, std::string>& names) {
    constexpr std::size_t kMost = 3;
    std::vector<RouteStop> stops;
    for (const Link& link : network.links)
        if (!spread.paths[link.from].empty() && spread.paths[link.to].empty())
            stops.push_back(stop_of(network, link, spread.paths[link.from].front()));
    const auto is_there = [&](const RouteStop& each) { return each.to == at; };
    if (std::any_of(stops.begin(), stops.end(), is_there))
        std::erase_if(stops, std::not_fn(is_there));
    const auto name = [&](SpeakerIndex speaker) {
        const auto known = names.find(speaker);
        return known == names.end() ? name_of(network.speakers[speaker]) : known->second;
    };
    std::vector<MissingRoute::Step> out;
    std::set<std::string> told; // of alike neighbours one
    for (const RouteStop& each : stops)
        if (out.size() < kMost &&
            told.insert(name(each.at_sender ? each.from : each.to) + each.why).second)
            out.push_back({fmt::format("{} -> {}: {}", name(each.from), name(each.to), each.why),
                           each.origin});
    return out;
}

} // namespace polecat::routing
