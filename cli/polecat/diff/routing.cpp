#include "cli/polecat/diff/routing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace polecat::cli {

using namespace driver;

namespace {

using nlohmann::json;
using routing::AnnouncementChange;
using routing::RouteChange;
using routing::RuleChange;
using routing::SessionChange;
using routing::SessionFault;

json prefixes_json(const std::vector<net::Cidr>& prefixes) {
    json out = json::array();
    for (const net::Cidr& each : prefixes)
        out.push_back(net::to_string(each));
    return out;
}

json faults_json(const std::vector<SessionFault>& faults, const RoutedInput& of) {
    json out = json::array();
    for (const SessionFault& each : faults)
        out.push_back({{"kind", routing::to_string(each.kind)},
                       {"node", each.node},
                       {"neighbor", each.neighbor},
                       {"sessions", each.sessions},
                       {"reason", each.reason},
                       {"here", of.json_of<json>(each.here)},
                       {"there", of.json_of<json>(each.there)}});
    return out;
}

} // namespace

std::string routing_text(const RoutingReport& report) {
    std::string out = "\n" + routing_summary(report) + "\n";
    for (const RoutingEntry& each : routing_entries(report)) {
        out += fmt::format("\n{} {}  {}: {}\n", each.sign, each.kind, each.about, each.what);
        for (const std::string& line : each.lines)
            out += "      " + line + "\n";
    }
    for (const std::string& note : routing_notes(report))
        out += fmt::format("\n({})\n", note);
    return out;
}

std::string routing_markdown(const RoutingReport& report) {
    const auto all = routing_entries(report);
    std::string out = "\n### Routing: " + routing_summary(report) + "\n\n";
    if (!all.empty())
        out += "| | | what | where |\n|---|---|---|---|\n";
    for (const RoutingEntry& each : all)
        out += fmt::format("| **{}** | {} | {} | {} |\n", each.kind, each.about, each.what,
                           fmt::join(each.lines, "<br>"));
    for (const std::string& note : routing_notes(report))
        out += "\n" + note + "\n";
    return out;
}

std::string routing_json(const RoutingReport& report) {
    const routing::RoutingDiff& diff = report.diff;
    const RoutedInput &base = report.base, &head = report.head;
    json sessions = json::array(), announcements = json::array(), routes = json::array(),
         rules = json::array();
    for (const SessionChange& each : diff.sessions)
        sessions.push_back({{"change", routing::to_string(each.kind)},
                            {"family", net::to_string(each.family)},
                            {"node", each.node},
                            {"neighbor", each.neighbor},
                            {"sessions", each.sessions},
                            {"what", each.what},
                            {"before", each.before ? base.json_of<json>(*each.before) : json()},
                            {"now", each.now ? head.json_of<json>(*each.now) : json()},
                            {"changed", !each.node_line  ? json()
                                        : each.node_gone ? base.json_of<json>(*each.node_line)
                                                         : head.json_of<json>(*each.node_line)}});
    for (const RuleChange& each : diff.rules)
        rules.push_back({{"about", each.about},
                         {"before", each.before.empty() ? json() : json(each.before)},
                         {"now", each.now.empty() ? json() : json(each.now)},
                         {"by", json::array({base.json_of<json>(each.before_origin),
                                             head.json_of<json>(each.now_origin)})}});
    for (const AnnouncementChange& each : diff.announcements)
        announcements.push_back(
            {{"change", each.announced ? "announced" : "withdrawn"},
             {"router", each.router},
             {"prefixes", prefixes_json(each.prefixes)},
             {"node", each.node},
             {"reason", each.reason},
             {"by", (each.origin_before ? base : head).json_of<json>(each.origin)}});
    for (const RouteChange& each : diff.routes)
        routes.push_back({{"change", routing::to_string(each.kind)},
                          {"family", net::to_string(each.family)},
                          {"prefixes", prefixes_json(each.prefixes)},
                          {"nodes", each.nodes},
                          {"routes", each.routes},
                          {"example",
                           {{"node", each.node},
                            {"prefix", net::to_string(each.prefix)},
                            {"before", each.before},
                            {"now", each.now}}},
                          {"before", base.json_of<json>(each.before_origin)},
                          {"now", head.json_of<json>(each.now_origin)}});
    const json out{{"sessions", sessions},
                   {"breaks", faults_json(diff.breaks, head)},
                   {"mends", faults_json(diff.mends, base)},
                   {"rules", rules},
                   {"announcements", announcements},
                   {"routes", routes},
                   {"notes", routing_notes(report)}};
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace polecat::cli
