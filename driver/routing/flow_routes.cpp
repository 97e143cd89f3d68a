#include "driver/routing/flow_routes.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace polecat::driver {

using decision::ServiceFront;
using routing::MissingRoute;

FlowRoutes::FlowRoutes(Input& input, const decision::LoweredCluster& cluster) : cluster_(cluster) {
    if (!routing::is_about_bgp(input.cluster))
        return;
    routed_.emplace(route(input, {}, MeshSessions::LeftOut));
    search_.emplace(input.cluster, routed_->routing, routed_->nodes, quiet_lowering());
}

// --- ends ----------------------------------------------------------------------------------------

FlowRoutes::Place FlowRoutes::place_of(decision::ObjectId object) const {
    const decision::Endpoint* endpoint = cluster_.endpoint_of(object);
    if (endpoint == nullptr)
        return {};
    Place out{endpoint->node, {}, false};
    if (!endpoint->host_network && !endpoint->is_host_endpoint)
        out.addresses = cluster_.world.object(object).addresses;
    return out;
}

FlowRoutes::Place FlowRoutes::place_of(const ir::PathEnd& end) const {
    if (end.endpoint)
        return place_of(*end.endpoint);
    if (!end.node.empty())
        return {end.node, {}, false};
    if (!end.address)
        return {};
    for (const decision::ObjectId each : decision::end_of(cluster_.world, *end.address).objects)
        if (cluster_.endpoint_of(each) != nullptr)
            return place_of(each);
    for (const decision::NodeInfo& node : cluster_.nodes)
        if (std::find(node.addresses.begin(), node.addresses.end(), *end.address) !=
            node.addresses.end())
            return {node.name, {}, false};
    const bool pooled =
        std::any_of(cluster_.pools.begin(), cluster_.pools.end(),
                    [&](const auto& each) { return each.cidr.contains(*end.address); });
    return {"", {}, !pooled};
}

// --- one flow ------------------------------------------------------------------------------------

std::optional<MissingRoute> FlowRoutes::one_way(const Place& from, const Place& to,
                                                const net::Address& address) {
    if (from.outside)
        return search_->to_pod_from_outside(to.node, address);
    return search_->to_pod(from.node, to.node, address);
}

std::optional<MissingRoute> FlowRoutes::between(const Place& from, const Place& to,
                                                std::optional<net::Family> family) {
    std::optional<MissingRoute> first;
    bool some = false;
    for (const net::Address& address : to.addresses) {
        const auto back =
            std::find_if(from.addresses.begin(), from.addresses.end(),
                         [&](const auto& each) { return each.family == address.family; });
        if ((family && address.family != *family) ||
            (!from.addresses.empty() && back == from.addresses.end()))
            continue;
        auto missing = one_way(from, to, address);
        if (!missing && back != from.addresses.end()) {
            missing = one_way(to, from, *back);
            if (missing)
                missing->reason = "the answers: " + missing->reason;
        }
        some = some || !missing;
        if (missing && !first)
            first = std::move(missing);
    }
    if (first && some) {
        first->certain = false;
        first->unless +=
            fmt::format("{}it goes by the other IP family", first->unless.empty() ? "" : ", or ");
    }
    return first;
}

std::optional<MissingRoute> FlowRoutes::to_backends(const Place& from, const ir::PathQuery& query,
                                                    const ServiceFront& front) {
    std::optional<MissingRoute> first;
    std::set<decision::ObjectId> with, without;
    for (const ServiceFront::Port& port : front.ports)
        for (const decision::ServiceBackend& each : port.backends) {
            if (!each.object ||
                (query.packet.destination_port && port.port != *query.packet.destination_port))
                continue;
            auto missing = between(from, place_of(*each.object), query.family);
            (missing ? without : with).insert(*each.object);
            if (missing && !first)
                first = std::move(missing);
        }
    if (first && !with.empty()) {
        first->certain = false;
        first->unless = fmt::format("one of the other {} of its {} pods answers", with.size(),
                                    with.size() + without.size());
    }
    return first;
}

std::optional<MissingRoute> FlowRoutes::to_service(const Place& from, const ir::PathQuery& query,
                                                   const ServiceFront& front) {
    if (!from.outside || front.headless)
        return front.is_external ? std::nullopt : to_backends(from, query, front);
    const auto holds = [](const std::vector<net::Address>& list, const net::Address& address) {
        return std::find(list.begin(), list.end(), address) != list.end();
    };
    std::vector<net::Address> asked;
    if (query.destination.address)
        asked = {*query.destination.address};
    else if (!front.external_ips.empty())
        asked = front.external_ips;
    else if (!front.is_exposed) // otherwise by a port of any node
        asked = front.cluster_ips;
    std::optional<MissingRoute> first;
    for (const net::Address& each : asked) {
        const char* field = holds(front.balancer_ips, each)   ? "serviceLoadBalancerIPs"
                            : holds(front.external_ips, each) ? "serviceExternalIPs"
                                                              : "serviceClusterIPs";
        auto missing = search_->to_service_from_outside(each, field);
        if (!missing)
            return std::nullopt;
        if (!first)
            first = std::move(missing);
    }
    return first;
}

std::optional<MissingRoute> FlowRoutes::of(const ir::PathQuery& query) {
    if (!search_)
        return std::nullopt;
    const Place from = place_of(query.source);
    if (from.node.empty() && !from.outside)
        return std::nullopt;
    if (!query.destination.service.empty()) {
        const auto front = cluster_.service_fronts.find(query.destination.service);
        return front == cluster_.service_fronts.end() ? std::nullopt
                                                      : to_service(from, query, front->second);
    }
    if (query.destination.address)
        for (const auto& [key, front] : cluster_.service_fronts)
            for (const auto* list : {&front.cluster_ips, &front.external_ips})
                if (std::find(list->begin(), list->end(), *query.destination.address) !=
                    list->end())
                    return to_service(from, query, front);
    return between(from, place_of(query.destination), query.family);
}

std::string FlowRoutes::text(const std::optional<MissingRoute>& missing) const {
    if (!missing)
        return "";
    std::string out = fmt::format("  {}: {}\n", missing->certain ? "NO ROUTE" : "PERHAPS NO ROUTE",
                                  missing->reason);
    for (const auto& step : missing->trail)
        out += step.origin.object.empty()
                   ? fmt::format("       {}\n", step.text)
                   : fmt::format("       {}: {}\n", step.text, routed_->text_of(step.origin));
    if (!missing->unless.empty())
        out += fmt::format("       unless {}\n", missing->unless);
    return out;
}

// --- rows of a map -------------------------------------------------------------------------------

/// Endpoints on nodes, with the address of the family if they have one.
FlowRoutes::Ends FlowRoutes::ends(MapEnds which, const MapRows& rows) const {
    Ends out;
    for (const std::uint32_t end : which)
        for (const decision::ObjectId object : rows.ends[end].objects) {
            Place place = place_of(object);
            std::erase_if(place.addresses,
                          [&](const net::Address& each) { return each.family != rows.family; });
            if (!place.node.empty())
                out.emplace_back(cluster_.world.object(object).name, std::move(place));
        }
    return out;
}

std::optional<NoRoute> FlowRoutes::of(const MapRow& row, MapRows& rows) {
    constexpr std::size_t kMostPairs = 20'000; ///< that are looked at: a tenth of a second
    Ends to = ends(row.to, rows);
    std::erase_if(to, [&](const auto& each) {
        const auto& addresses = each.second.addresses;
        return addresses.empty() || !search_->may_miss(addresses.front());
    });
    std::optional<NoRoute> out;
    if (to.empty())
        return out;
    std::size_t looked = 0;
    for (const auto& [source, from] : ends(row.from, rows))
        for (const auto& [target, place] : to) {
            if (++looked > kMostPairs) {
                rows.cut = true;
                return out;
            }
            if (auto missing = search_->to_pod(from.node, place.node, place.addresses.front(),
                                               routing::RouteSearch::Detail::Gap)) {
                if (!out)
                    out = NoRoute{missing->certain, 0, source, target, std::move(missing->reason)};
                ++out->pairs;
            }
        }
    return out;
}

void FlowRoutes::mark(MapRows& rows) {
    rows.routed = search_.has_value();
    if (rows.routed)
        for (MapRow& row : rows.rows)
            row.no_route = of(row, rows);
}

} // namespace polecat::driver
