#include "driver/diff/routing_report.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analyzer/routing/routes/route_search.h"
#include "passes/routing/routing.h"
#include "support/listed.h"

namespace polecat::driver {

namespace {

using routing::AnnouncementChange;
using routing::RouteChange;
using routing::RuleChange;
using routing::SessionChange;
using routing::SessionFault;

void add_refused(const RoutedInput& of, const char* version, std::vector<std::string>& into) {
    for (const diag::Diagnostic& each : of.diagnostics.list())
        if (each.severity == diag::Severity::Error)
            into.push_back(fmt::format(
                "{}: {}{}", version, each.message,
                each.span.known() ? " (" + of.input.sources.describe(each.span) + ")" : ""));
}

std::string prefixes_of(const std::vector<net::Cidr>& prefixes) {
    std::vector<std::string> texts;
    for (const net::Cidr& each : prefixes)
        texts.push_back(net::to_string(each));
    return listed(texts);
}

class RoutingEntries {
  public:
    explicit RoutingEntries(const RoutingReport& report) : report_(report) {}

    std::vector<RoutingEntry> all() const {
        std::vector<RoutingEntry> out;
        for (const SessionChange& each : report_.diff.sessions)
            out.push_back(entry(each));
        for (const SessionFault& each : report_.diff.breaks)
            out.push_back(entry(each, true));
        for (const SessionFault& each : report_.diff.mends)
            out.push_back(entry(each, false));
        for (const RuleChange& each : report_.diff.rules)
            out.push_back(entry(each));
        for (const AnnouncementChange& each : report_.diff.announcements)
            out.push_back(entry(each));
        for (const RouteChange& each : report_.diff.routes)
            out.push_back(entry(each));
        return out;
    }

  private:
    std::string then(const routing::Origin& origin, const char* title = "before  ") const {
        return title + report_.base.text_of(origin);
    }
    std::string now(const routing::Origin& origin, const char* title = "now     ") const {
        return title + report_.head.text_of(origin);
    }
    bool in_inventory(const std::string& neighbor) const {
        for (const policy::FabricInventory& inventory : report_.head.input.cluster.inventories)
            for (const policy::FabricRouter& router : inventory.routers)
                if (neighbor.find(net::to_string(router.address.value)) != std::string::npos)
                    return true;
        return false;
    }
    static std::string more(std::uint64_t number) {
        return number > 1 ? fmt::format(" and {} more", number - 1) : "";
    }

    void add_lines(const routing::Origin& before, const routing::Origin& after,
                   RoutingEntry& into) const {
        if (!before.object.empty())
            into.lines.push_back(then(before));
        if (!after.object.empty())
            into.lines.push_back(now(after));
    }

    RoutingEntry entry(const SessionChange& change) const {
        using Kind = routing::SessionChangeKind;
        RoutingEntry out{
            change.kind == Kind::Comes  ? '+'
            : change.kind == Kind::Goes ? '-'
                                        : '~',
            fmt::format("session {}", routing::to_string(change.kind)),
            fmt::format("node {} with {}{}", change.node, change.neighbor, more(change.sessions)),
            change.what,
            {}};
        if (change.neighbor_unknown && change.what.find("AS ") != std::string::npos &&
            change.kind != Kind::Goes && !in_inventory(change.neighbor))
            out.what += " (whether the neighbour agrees no manifest says)";
        if (change.before)
            out.lines.push_back(then(*change.before));
        if (change.now)
            out.lines.push_back(now(*change.now));
        if (change.node_line)
            out.lines.push_back(change.node_gone ? then(*change.node_line, "gone    ")
                                                 : now(*change.node_line, "changed "));
        return out;
    }

    RoutingEntry entry(const SessionFault& fault, bool breaks) const {
        RoutingEntry out{
            breaks ? '-' : '+',
            breaks ? "will not establish" : "will establish",
            fmt::format("node {} with {}{}", fault.node, fault.neighbor, more(fault.sessions)),
            breaks ? fault.reason : "before: " + fault.reason,
            {}};
        for (const routing::Origin* each : {&fault.here, &fault.there})
            out.lines.push_back(breaks ? now(*each, "") : then(*each, ""));
        return out;
    }

    RoutingEntry entry(const RuleChange& change) const {
        const bool comes = change.before.empty(), goes = change.now.empty();
        RoutingEntry out{comes  ? '+'
                         : goes ? '-'
                                : '~',
                         comes  ? "rule comes"
                         : goes ? "rule goes"
                                : "rule differs",
                         change.about,
                         comes || goes ? change.before + change.now
                                       : fmt::format("{} -> {}", change.before, change.now),
                         {}};
        add_lines(change.before_origin, change.now_origin, out);
        return out;
    }

    RoutingEntry entry(const AnnouncementChange& change) const {
        RoutingEntry out{change.announced ? '+' : '-',
                         change.announced ? "announced" : "withdrawn",
                         fmt::format("{} {} {}", prefixes_of(change.prefixes),
                                     change.announced ? "to" : "from", change.router),
                         change.announced
                             ? fmt::format("by node {}{}", change.node,
                                           change.reason.empty() ? "" : ": " + change.reason)
                             : change.reason,
                         {}};
        if (!change.origin.object.empty())
            out.lines.push_back(change.origin_before ? then(change.origin) : now(change.origin));
        return out;
    }

    RoutingEntry entry(const RouteChange& change) const {
        using Kind = routing::RouteChangeKind;
        RoutingEntry out{
            change.kind == Kind::Gained ? '+'
            : change.kind == Kind::Lost ? '-'
                                        : '~',
            fmt::format("route {}", routing::to_string(change.kind)),
            fmt::format("{} on {}", prefixes_of(change.prefixes), listed(change.nodes)),
            change.routes > 1 ? fmt::format("{} -> {} (on {}, {})", change.before, change.now,
                                            change.node, net::to_string(change.prefix))
                              : fmt::format("{} -> {}", change.before, change.now),
            {}};
        add_lines(change.before_origin, change.now_origin, out);
        return out;
    }

    const RoutingReport& report_;
};

} // namespace

std::optional<RoutingReport> routing_report(Input& base, Input& head) {
    if (!routing::is_about_bgp(base.cluster) && !routing::is_about_bgp(head.cluster))
        return std::nullopt;
    RoutingReport out{
        route(base, {}, MeshSessions::LeftOut), route(head, {}, MeshSessions::LeftOut), {}};
    const auto version = [](const RoutedInput& of) {
        return routing::RoutingVersion{of.input.cluster, of.routing, of.nodes, quiet_lowering()};
    };
    out.diff = routing::routing_diff(version(out.base), version(out.head));
    std::vector<std::string> refused;
    add_refused(out.base, "before", refused);
    add_refused(out.head, "now", refused);
    out.diff.not_compared.insert(out.diff.not_compared.begin(), refused.begin(), refused.end());
    return out;
}

std::vector<RoutingEntry> routing_entries(const RoutingReport& report) {
    return RoutingEntries(report).all();
}

std::string routing_summary(const RoutingReport& report) {
    std::uint64_t changed = 0, broken = 0, mended = 0, prefixes[2] = {}, routes = 0;
    for (const SessionChange& each : report.diff.sessions)
        changed += each.sessions;
    for (const SessionFault& each : report.diff.breaks)
        broken += each.sessions;
    for (const SessionFault& each : report.diff.mends)
        mended += each.sessions;
    for (const AnnouncementChange& each : report.diff.announcements)
        prefixes[each.announced ? 1 : 0] += each.prefixes.size();
    for (const RouteChange& each : report.diff.routes)
        routes += each.routes;
    std::string out;
    const auto add = [&](std::uint64_t number, const char* what, const char* then) {
        if (number != 0)
            out += fmt::format("{}{}{}", out.empty() ? "" : ", ", counted(number, what), then);
    };
    add(changed, "session", " changed");
    add(broken, "session", " that will not establish");
    add(mended, "session", " that will establish now");
    add(report.diff.rules.size(), "rule", " changed");
    add(prefixes[0], "prefix", " withdrawn");
    add(prefixes[1], "prefix", " newly announced");
    add(routes, "kernel route", " changed");
    return out.empty() ? "no routing changes" : out;
}

std::vector<std::string> routing_notes(const RoutingReport& report) {
    std::vector<std::string> out;
    for (const std::string& each : report.diff.not_compared)
        out.push_back("not compared: " + each);
    if (report.diff.routers_assumed && !report.diff.empty())
        out.emplace_back("routers that no FabricInventory lists are taken to agree with their "
                         "sessions and to pass everything on");
    return out;
}

} // namespace polecat::driver
