#include "driver/report/report.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "backends/graph/graph.h"
#include "driver/bgp/picture.h"
#include "driver/input/unread.h"
#include "driver/map/row_texts.h"

namespace polecat::driver {

namespace {

constexpr std::size_t kMostFlows = 3000;

/// Endpoints of each policy, from the programs that hold it at any hook.
std::map<policy::PolicyName, std::set<std::string>>
governed(const decision::LoweredCluster& cluster) {
    std::map<policy::PolicyName, std::set<std::string>> out;
    for (const decision::Group& group : cluster.groups) {
        std::set<policy::PolicyName> keys;
        for (const auto& [key, program] : group.programs)
            for (const decision::PolicyBlock& block : program.slots.policies())
                keys.insert(block.policy);
        for (const policy::PolicyName& key : keys)
            for (const decision::ObjectId member : group.members)
                out[key].insert(name_of(cluster, member));
    }
    return out;
}

void add_policies(const policy::OrderedPolicies& ordered, const decision::LoweredCluster& cluster,
                  Report& report) {
    const auto endpoints = governed(cluster);
    report.tiers = ordered.tiers;
    for (const policy::OrderedTier& tier : ordered.tiers)
        for (const policy::Policy* policy : tier.policies) {
            ReportPolicy row{policy, tier.name, {}};
            const auto found = endpoints.find(policy_name(*policy));
            if (found != endpoints.end())
                row.endpoints.assign(found->second.begin(), found->second.end());
            report.policies.push_back(std::move(row));
        }
}

void add_family(const decision::LoweredCluster& cluster, const decision::Identities& identities,
                net::Family family, const Grouping& grouping, Report& report) {
    const std::string name(net::to_string(family));
    const analyzer::ConnectivityMap map(cluster, identities, family);
    const auto svg = backends::to_svg(picture_of(cluster, map, family, grouping));
    report.pictures.push_back({name, svg ? *svg : "", svg ? "" : svg.error()});
    const MapRows rows = grouped_rows(cluster, map, family);
    report.endpoints = std::max(report.endpoints, rows.endpoints);
    const std::size_t room = kMostFlows - std::min(kMostFlows, report.flows.size());
    for (MapLine& line : MapRowTexts(rows, map).lines(room))
        report.flows.push_back({name, std::move(line.from), std::move(line.to),
                                std::move(line.connections), std::move(line.ends), line.depends});
    report.ends.emplace_back(name, std::vector<std::string>());
    for (const MapEndText& end : rows.ends)
        report.ends.back().second.push_back(fmt::format("{}", fmt::join(end.members, " ")));
    report.flows_left_out += rows.rows.size() - std::min(room, rows.rows.size());
}

bool has_bgp(const policy::Cluster& cluster) {
    return !cluster.inventories.empty() ||
           std::any_of(cluster.others.begin(), cluster.others.end(), [](const auto& each) {
               return each.kind == "BGPPeer" || each.kind == "BGPConfiguration" ||
                      each.kind == "BGPFilter";
           });
}

void add_bgp(Input& input, Report& report) {
    if (!has_bgp(input.cluster))
        return;
    RoutedInput routed = route(input, {}, MeshSessions::LeftOut);
    if (routed.nodes.empty())
        return;
    auto sessions = routing::sessions(input.cluster, routed.routing, routed.nodes);
    std::string svg = backends::to_svg(fabric_picture(routed, sessions));
    report.bgp.emplace(BgpReport{std::move(routed), std::move(sessions), std::move(svg)});
}

} // namespace

Report make_report(Input& input, Checked checked, const Grouping& grouping) {
    Report out{"", "", {}, 0, input, std::move(checked), {}, 0, {}, {}, {}, {}, 0, {}, {}, {}};
    if (!out.checked.ran)
        return out;
    out.lowered = passes::lower(input.cluster);
    const decision::LoweredCluster& cluster = out.lowered->cluster;
    const decision::Identities identities(cluster);
    for (const net::Family family : families_in_use(cluster))
        add_family(cluster, identities, family, grouping, out);
    add_policies(out.lowered->policies, cluster, out);
    add_bgp(input, out);
    out.unread = unread_lines(input, endpoints_in_doubt(input, cluster));
    return out;
}

} // namespace polecat::driver
