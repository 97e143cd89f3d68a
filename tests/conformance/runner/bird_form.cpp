#include "tests/conformance/runner/bird_form.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace polecat::conformance {

using nlohmann::json;

namespace {

json prefixes(const std::vector<routing::PrefixLine>& lines) {
    json out = json::array();
    for (const routing::PrefixLine& line : lines)
        out.push_back(net::to_string(line.prefix));
    return out;
}

template <class T> json or_null(const std::optional<T>& value) {
    return value ? json(*value) : json();
}

json text_or_null(const std::optional<net::Address>& address) {
    return address ? json(net::to_string(*address)) : json();
}

json rule_json(const routing::FilterRule& rule) {
    json match = json::object();
    const routing::FilterMatch& of = rule.match;
    if (of.peer_type)
        match["peerType"] = *of.peer_type == routing::PeerType::Internal ? "iBGP" : "eBGP";
    if (of.net) {
        static const char* const kOperators[] = {"in", "notIn", "equal", "notEqual"};
        match["net"] = {{"op", kOperators[static_cast<int>(of.net->op)]},
                        {"cidr", net::to_string(of.net->cidr)}};
        if (of.net->lengths) {
            match["net"]["minLength"] = of.net->lengths->shortest;
            match["net"]["maxLength"] = of.net->lengths->longest;
        }
    }
    if (of.from_bgp)
        match["source"] = "RemotePeers";
    if (of.interface)
        match["interface"] = *of.interface;
    if (of.community)
        match["community"] = routing::to_string(*of.community);
    if (!of.as_path_prefix.empty())
        match["asPathPrefix"] = of.as_path_prefix;
    if (of.priority)
        match["priority"] = *of.priority;
    json out{{"match", match},
             {"action", rule.action == routing::Verdict::Accept ? "accept" : "reject"}};
    for (const routing::Operation& each : rule.operations)
        if (const auto* add = std::get_if<routing::AddCommunity>(&each))
            out["operations"].push_back({{"addCommunity", routing::to_string(add->community)}});
        else if (const auto* path = std::get_if<routing::PrependPath>(&each))
            out["operations"].push_back({{"prependASPath", path->numbers}});
        else
            out["operations"].push_back(
                {{"setPriority", std::get<routing::SetPriority>(each).priority}});
    return out;
}

json rules_json(const std::vector<routing::FilterRule>& rules) {
    json out = json::array();
    for (const routing::FilterRule& rule : rules)
        out.push_back(rule_json(rule));
    return out;
}

json session_json(const routing::Session& session) {
    static const char* const kNextHops[] = {"auto", "keep", "self"};
    return {
        {"kind", routing::to_string(session.kind)},
        {"neighbor", net::to_string(session.neighbor)},
        {"port", session.port},
        {"family", session.neighbor.family == net::Family::V4 ? "ipv4" : "ipv6"},
        {"neighborAS", session.neighbor_as},
        {"localAS", session.local_as},
        {"localASOverride", session.local_as_given},
        {"ibgp", session.is_internal()},
        {"sourceAddress", text_or_null(session.source)},
        {"ttlSecurityHops", or_null(session.ttl_security_hops)},
        {"passive", session.passive},
        {"maxRestartTime", or_null(session.max_restart_seconds)},
        {"keepaliveTime", or_null(session.keepalive_seconds)},
        {"routeReflectorClient", session.reflector_cluster.has_value()},
        {"clusterID", text_or_null(session.reflector_cluster)},
        {"password",
         session.password ? json(session.password->secret + "/" + session.password->key) : json()},
        {"nextHop", kNextHops[static_cast<int>(session.next_hop)]},
        {"allowLocalAS", session.allowed_local_as != 0 ? json(session.allowed_local_as) : json()},
        {"bfd", false},
        {"import", {{"filters", session.import_filters}, {"default", "accept"}}},
        {"export", {{"filters", session.export_filters}, {"default", "reject"}}}};
}

json export_json(const routing::FamilyRouting& family) {
    const routing::ExportRules& rules = family.exports;
    json communities = json::array(), blocks = json::array();
    for (const routing::CommunityLine& line : rules.communities) {
        json each{{"prefix", net::to_string(line.prefix)},
                  {"standard", json::array()},
                  {"large", json::array()}};
        for (const routing::Community& value : line.communities)
            each[value.is_large() ? "large" : "standard"].push_back(routing::to_string(value));
        communities.push_back(each);
    }
    for (const routing::Block& block : family.blocks)
        if (block.hides)
            blocks.push_back(net::to_string(block.cidr));
    return {{"rejectPools", prefixes(rules.reject_pools)},
            {"rejectInterfacesToInternalPeers", rules.reject_interfaces_inside},
            {"rejectInterfaces", rules.reject_interfaces},
            {"communities", communities},
            {"blocks", blocks},
            {"acceptServices", prefixes(family.services)},
            {"acceptAsReflector", prefixes(rules.accept_as_reflector)},
            {"acceptPools", prefixes(rules.accept_pools)},
            {"default", "reject"}};
}

json kernel_json(const routing::KernelRules& rules) {
    json next_hops = json::array(), tunnels = json::array();
    std::vector<routing::PrefixLine> rejected;
    auto pools = rules.pools;
    std::sort(pools.begin(), pools.end(),
              [](const auto& a, const auto& b) { return a.cidr < b.cidr; });
    for (const routing::NextHopLine& line : rules.reject_next_hops)
        next_hops.push_back(net::to_string(line.next_hop));
    std::sort(next_hops.begin(), next_hops.end());
    for (const routing::KernelPool& pool : pools)
        if (pool.action == routing::KernelAction::Reject)
            rejected.push_back({pool.cidr, {}});
        else if (pool.action == routing::KernelAction::Tunnel)
            tunnels.push_back(
                {{"cidr", net::to_string(pool.cidr)},
                 {"device", routing::kTunnelDevice},
                 {"exceptNextHopIn",
                  pool.direct_inside ? json(net::to_string(*pool.direct_inside)) : json()}});
    return {{"rejectServices", prefixes(rules.reject_services)},
            {"rejectNextHops", next_hops},
            {"rejectPools", prefixes(rejected)},
            {"tunnelPools", tunnels},
            {"default", "accept"}};
}

/// Without sessions of a family Calico says nothing about them.
json debug_json(routing::Logging logging, bool sessions) {
    json interfaces = json::array(), bgp = json::array();
    if (logging == routing::Logging::All) {
        interfaces = bgp = {"all"};
    } else if (logging == routing::Logging::States) {
        interfaces = {"states"};
        bgp = {"states", "routes", "filters", "events"};
    }
    json out{{"interfaces", interfaces}};
    if (sessions)
        out["bgp"] = bgp;
    return out;
}

json originate_json(const routing::FamilyRouting& family) {
    json blocks = json::array(), routes = json::array();
    for (const routing::Block& block : family.blocks)
        if (block.originates)
            blocks.push_back(net::to_string(block.cidr));
    const auto width = static_cast<std::uint8_t>(net::width(family.family));
    for (const routing::PeerRoute& route : family.peer_routes)
        routes.push_back({{"prefix", net::to_string(net::Cidr{route.neighbor, width})},
                          {"via", net::to_string(route.via)}});
    return {{"blocks", blocks}, {"services", prefixes(family.services)}, {"peerRoutes", routes}};
}

} // namespace

std::string family_json(const routing::NodeRouting& node, net::Family which) {
    const routing::FamilyRouting& family = node.of(which);
    json sessions = json::array(), filters = json::object();
    for (const routing::Session& session : family.sessions)
        sessions.push_back(session_json(session));
    for (const routing::Filter& filter : family.filters)
        filters[filter.name] = {{"import", rules_json(filter.import_rules)},
                                {"export", rules_json(filter.export_rules)}};
    const json out{{"enabled", family.enabled()},
                   {"routerID", node.router_id},
                   {"localAS", family.enabled() ? json(node.local_as) : json()},
                   {"listen",
                    {{"address", family.listen_on_address ? text_or_null(family.address) : json()},
                     {"port", node.listen_port}}},
                   {"debug", debug_json(node.logging, family.enabled())},
                   {"directInterfaces", {{"exclude", node.ignored_interfaces}, {"include", {"*"}}}},
                   {"normalRoutePriority", family.normal_priority},
                   {"sessions", sessions},
                   {"filters", filters},
                   {"originate", originate_json(family)},
                   {"export", export_json(family)},
                   {"kernel", kernel_json(family.kernel)}};
    return out.dump();
}

routing::Route route_from(const std::string& text) {
    const json route = json::parse(text);
    routing::Route out;
    out.prefix = *net::parse_cidr(route["prefix"].get<std::string>(), net::CidrForm::Strict);
    const std::string from = route["from"];
    out.source = from == "static"   ? routing::RouteSource::Static
                 : from == "kernel" ? routing::RouteSource::Kernel
                 : from == "direct" ? routing::RouteSource::Direct
                                    : routing::RouteSource::Bgp;
    out.interface = route.value("interface", "");
    if (route.contains("metric"))
        out.metric = route["metric"].get<std::uint32_t>();
    if (route.contains("nextHop"))
        out.next_hop = net::parse_address(route["nextHop"].get<std::string>());
    if (route.contains("priority"))
        out.local_preference = routing::local_preference_of(route["priority"]);
    for (const json& value : route.value("communities", json::array()))
        out.communities.push_back(*routing::parse_community(value.get<std::string>()));
    for (const json& number : route.value("asPath", json::array()))
        out.as_path.push_back(number);
    return out;
}

std::string result_json(const routing::Route& before, const routing::RouteVerdict& result,
                        const std::string& list) {
    if (!result.accepted())
        return R"({"verdict": "reject"})";
    json out{{"verdict", "accept"}};
    const routing::Route& after = result.route;
    std::vector<std::string> added;
    for (const routing::Community& each : after.communities)
        if (std::find(before.communities.begin(), before.communities.end(), each) ==
            before.communities.end())
            added.push_back(routing::to_string(each));
    std::sort(added.begin(), added.end());
    if (!added.empty())
        out["addsCommunities"] = added;
    const auto more = after.as_path.size() - before.as_path.size();
    if (more != 0)
        out["prepends"] = std::vector<net::AsNumber>(
            after.as_path.begin(), after.as_path.begin() + static_cast<std::ptrdiff_t>(more));
    if (list == "export" || after.local_preference != before.local_preference)
        out["priority"] = routing::priority_of(*after.local_preference);
    if (list == "kernel") {
        out["metric"] = or_null(after.metric);
        out["tunnel"] = result.tunnel ? json(routing::kTunnelDevice) : json();
    }
    if (result.preference)
        out["preference"] = *result.preference;
    return out.dump();
}

} // namespace polecat::conformance
