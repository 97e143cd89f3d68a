// What predicates say of the endpoints that exist, asked of eval.
#include "analyzer/z3/existing_ends.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "ir/decision/table.h"
#include "support/parallel.h"

namespace polecat::smt {

using decision::Object;
using decision::ObjectId;
using decision::Tri;
using decision::World;

ExistingEnds::ExistingEnds(const decision::LoweredCluster& cluster, net::Family family)
    : cluster_(cluster), family_(family) {
    of_object_.resize(cluster.world.objects.size());
    for (const decision::Endpoint& endpoint : cluster.endpoints) {
        const auto first = static_cast<std::uint32_t>(spots_.size());
        const auto more = spots_of(cluster.world, endpoint.object, family);
        spots_.insert(spots_.end(), more.begin(), more.end());
        of_object_[endpoint.object.value] = {first, static_cast<std::uint32_t>(spots_.size())};
    }
    find_alike();
    std::vector<net::Range> held;
    for (const auto& [address, object] : cluster.world.by_address)
        if (address.family == family)
            held.push_back({address, address});
    outside_ = net::AddressSet::all(family) - net::AddressSet::of(std::move(held));
}

ExistingEnds::ExistingEnds(const decision::LoweredCluster& cluster, net::Family family,
                           const std::vector<ObjectId>& objects, net::AddressSet outside)
    : cluster_(cluster), family_(family), outside_(std::move(outside)) {
    of_object_.resize(cluster.world.objects.size());
    for (const ObjectId object : objects) {
        const auto number = static_cast<std::uint32_t>(spots_.size());
        const auto all = spots_of(cluster.world, object, family);
        spots_.push_back(all.size() == 1 ? all.front() : Spot{object, std::nullopt});
        of_object_[object.value] = {number, number + 1};
    }
    find_alike();
}

std::vector<ExistingEnds::Spot> ExistingEnds::spots_of(const World& world, ObjectId id,
                                                       net::Family family) {
    std::vector<Spot> out;
    const Object& object = world.object(id);
    for (const net::Address& address : object.addresses)
        if (address.family == family)
            out.push_back({id, address});
    // A host has addresses that no manifest names; pods have only their own.
    const bool is_host = object.kind == Object::Kind::HostEndpoint || !object.selectable;
    if (out.empty() && (is_host || !object.addresses_known))
        out.push_back({id, std::nullopt});
    return out;
}

/// Two addresses are alike for a selector when all that holds() reads for it is equal: the labels
/// and ports of the endpoints there, and the network sets. Without an address pools count too.
void ExistingEnds::find_alike() {
    std::map<std::vector<ObjectId>, std::uint32_t> numbers; // of lists of network sets
    const World& world = cluster_.world;
    for (const Spot& spot : spots_) {
        if (!spot.address) {
            alike_.add(world, {}, std::nullopt);
            continue;
        }
        std::vector<ObjectId> objects = decision::end_of(world, *spot.address).objects;
        std::erase(objects, spot.object);
        objects.insert(objects.begin(), spot.object);
        std::vector<ObjectId> sets;
        for (const ObjectId id : world.network_sets)
            if (world.object(id).nets.contains(*spot.address))
                sets.push_back(id);
        const auto next = static_cast<std::uint32_t>(numbers.size());
        alike_.add(world, objects, numbers.try_emplace(std::move(sets), next).first->second);
    }
}

namespace {

/// The lowest port of the protocol that is not among these.
std::uint16_t other_port(const ExistingEnds::Listed& listed, net::Protocol protocol) {
    std::uint16_t port = 1;
    if (const auto found = listed.find(protocol); found != listed.end())
        while (found->second.contains(port))
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

/// By point of the column; `listed`: its ports.
void ExistingEnds::ask(const decision::Predicate& predicate, const Column& column,
                       const Listed& listed, const Spot& spot, std::vector<Tri>& out) const {
    out.clear();
    const decision::End end{{spot.object}, spot.address};
    const auto holds = [&](net::Protocol protocol, std::optional<std::uint16_t> port) {
        return decision::holds(predicate, cluster_.world, end, family_, protocol, port);
    };
    if (column.points.empty())
        return out.push_back(holds(0, std::nullopt));
    // What does not hold at a port that is not known holds at none.
    std::array<bool, 256> nowhere{}; // by protocol
    for (const auto& [protocol, ports] : listed)
        nowhere[protocol] = holds(protocol, std::nullopt) == Tri::No;
    for (const Point& point : column.points)
        out.push_back(nowhere[point.protocol]
                          ? Tri::No
                          : holds(point.protocol,
                                  point.port ? *point.port : other_port(listed, point.protocol)));
}

void ExistingEnds::fill(Column& column, const decision::Predicate& predicate) const {
    column.points = points_of(predicate);
    Listed listed;
    for (const Point& point : column.points)
        if (point.port)
            listed[point.protocol].insert(*point.port);
    const auto* by_labels = std::get_if<decision::ObjectSet>(&predicate);
    const auto* by_port = std::get_if<decision::NamedPortSet>(&predicate);
    std::vector<std::uint32_t> alike; // empty: all are asked about
    if (by_labels != nullptr)
        alike = alike_.of(by_labels->selector);
    else if (by_port != nullptr)
        alike = alike_.of(by_port->selector, by_port->name);
    std::map<std::vector<Tri>, std::uint32_t> kinds;
    std::vector<Tri> kind;
    for (std::uint32_t i = 0; i < spots_.size(); ++i) {
        if (!alike.empty() && alike[i] != i) {
            column.kind_of.push_back(column.kind_of[alike[i]]);
            continue;
        }
        ask(predicate, column, listed, spots_[i], kind);
        const auto [at, is_new] =
            kinds.try_emplace(kind, static_cast<std::uint32_t>(column.kinds.size()));
        if (is_new)
            column.kinds.push_back(kind);
        column.kind_of.push_back(at->second);
    }
    find_usual(column);
}

const ExistingEnds::Column& ExistingEnds::column(decision::PredicateId id) const {
    const auto [place, added] = columns_.try_emplace(id);
    if (added)
        fill(place->second, cluster_.predicates[id]);
    return place->second;
}

void ExistingEnds::compute(const std::set<decision::PredicateId>& predicates, unsigned jobs) const {
    std::vector<std::pair<Column*, const decision::Predicate*>> open;
    for (const decision::PredicateId id : predicates) {
        if (const auto [place, added] = columns_.try_emplace(id); added)
            open.emplace_back(&place->second, &cluster_.predicates[id]);
    }
    in_parallel(open.size(), jobs, [&](std::size_t i) { fill(*open[i].first, *open[i].second); });
}

} // namespace polecat::smt
