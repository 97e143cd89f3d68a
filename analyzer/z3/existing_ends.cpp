// What predicates say of the endpoints that exist, asked of eval.
#include "analyzer/z3/existing_ends.h"

#include <algorithm>
#include <set>

#include "ir/decision/table.h"

namespace polecat::smt {

using decision::Object;
using decision::Tri;
using decision::World;

ExistingEnds::ExistingEnds(const decision::LoweredCluster& cluster, net::Family family)
    : cluster_(cluster), family_(family) {
    of_object_.resize(cluster.world.objects.size());
    for (const decision::Endpoint& endpoint : cluster.endpoints) {
        const auto first = static_cast<std::uint32_t>(spots_.size());
        add_spots(endpoint);
        of_object_[endpoint.object.value] = {first, static_cast<std::uint32_t>(spots_.size())};
    }
    std::vector<net::Range> held;
    for (const auto& [address, object] : cluster.world.by_address)
        if (address.family == family)
            held.push_back({address, address});
    outside_ = net::AddressSet::all(family) - net::AddressSet::of(std::move(held));
}

void ExistingEnds::add_spots(const decision::Endpoint& endpoint) {
    const Object& object = cluster_.world.object(endpoint.object);
    const std::size_t before = spots_.size();
    for (const net::Address& address : object.addresses)
        if (address.family == family_)
            spots_.push_back({endpoint.object, address});
    // A host has addresses that no manifest names; pods have only their own.
    const bool is_host = object.kind == Object::Kind::HostEndpoint || !object.selectable;
    if (spots_.size() == before && (is_host || !object.addresses_known))
        spots_.push_back({endpoint.object, std::nullopt});
}

namespace {

/// The lowest port that is not among these.
std::uint16_t other_port(const std::set<std::uint16_t>& ports) {
    std::uint16_t port = 1;
    while (ports.contains(port))
        ++port;
    return port;
}

/// Which kind most spots are of, and which spots are not.
void find_usual(ExistingEnds::Column& column) {
    std::vector<std::size_t> counts(column.kinds.size(), 0);
    for (const std::uint32_t kind : column.kind_of)
        ++counts[kind];
    const auto most = std::max_element(counts.begin(), counts.end());
    column.usual = static_cast<std::uint32_t>(most - counts.begin());
    for (std::uint32_t i = 0; i < column.kind_of.size(); ++i)
        if (column.kind_of[i] != column.usual)
            column.unusual.push_back(i);
}

/// Every protocol and port of a named port or of a service's members.
std::set<std::pair<net::Protocol, std::uint16_t>> places_of(const decision::Predicate& predicate,
                                                            const World& world) {
    std::set<std::pair<net::Protocol, std::uint16_t>> out;
    if (const auto* named = std::get_if<decision::NamedPortSet>(&predicate)) {
        for (const Object& object : world.objects)
            for (const policy::EndpointPort& port : object.ports)
                if (port.name == named->name)
                    out.emplace(port.protocol, port.port);
    } else if (const auto* service = std::get_if<decision::ServiceSet>(&predicate)) {
        const auto add = [&](const auto& map) {
            if (const auto found = map.find(service->key); found != map.end())
                for (const auto& member : found->second)
                    if (member.port)
                        out.emplace(member.protocol, *member.port);
        };
        add(world.services);
        add(world.service_objects);
    }
    return out;
}

} // namespace

std::vector<ExistingEnds::Point>
ExistingEnds::points_of(const decision::Predicate& predicate) const {
    std::vector<Point> out;
    if (!decision::is_port_set(predicate))
        return out;
    for (const auto& [protocol, port] : places_of(predicate, cluster_.world))
        if (net::has_ports(protocol))
            out.push_back({protocol, port});
    for (const net::Protocol protocol : {net::kTcp, net::kUdp, net::kSctp})
        out.push_back({protocol, std::nullopt});
    return out;
}

const ExistingEnds::Column& ExistingEnds::column(decision::PredicateId id) const {
    const auto [place, added] = columns_.try_emplace(id);
    Column& column = place->second;
    if (!added)
        return column;
    const decision::Predicate& predicate = cluster_.predicates[id];
    column.points = points_of(predicate);
    std::map<net::Protocol, std::set<std::uint16_t>> listed;
    for (const Point& point : column.points)
        if (point.port)
            listed[point.protocol].insert(*point.port);
    std::map<std::vector<Tri>, std::uint32_t> kinds;
    for (const Spot& spot : spots_) {
        const decision::End end{{spot.object}, spot.address};
        const auto ask = [&](net::Protocol protocol, std::optional<std::uint16_t> port) {
            return decision::holds(predicate, cluster_.world, end, family_, protocol, port);
        };
        std::vector<Tri> kind;
        for (const Point& point : column.points)
            kind.push_back(
                ask(point.protocol, point.port ? *point.port : other_port(listed[point.protocol])));
        if (column.points.empty())
            kind.push_back(ask(0, std::nullopt));
        const auto [at, is_new] =
            kinds.try_emplace(kind, static_cast<std::uint32_t>(column.kinds.size()));
        if (is_new)
            column.kinds.push_back(std::move(kind));
        column.kind_of.push_back(at->second);
    }
    find_usual(column);
    return column;
}

} // namespace polecat::smt
