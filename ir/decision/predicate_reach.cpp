#include "ir/decision/predicate_reach.h"

#include <algorithm>

#include "ir/decision/table.h"
#include "ir/selector/index.h"

namespace polecat::decision {

struct PredicateReach::Index {
    selector::LabelIndex labels;
    std::vector<ObjectId> objects; ///< by number in `labels`
};

PredicateReach::PredicateReach(const LoweredCluster& cluster) : cluster_(cluster) {
    const World& world = cluster.world;
    by_object.resize(world.objects.size());
    auto index = std::make_shared<Index>();
    for (std::uint32_t i = 0; i < world.objects.size(); ++i)
        if (world.objects[i].selectable && !world.objects[i].unread.known()) {
            index->labels.add(world.objects[i].labels);
            index->objects.push_back(ObjectId{i});
        }
    index_ = std::move(index);
    for (const ObjectId each : world.network_sets)
        if (world.object(each).unread.known())
            unread_sets_.push_back(each);
    for (std::uint32_t i = 0; i < cluster.predicates.size(); ++i) {
        const PredicateId id{i};
        is_port_set.push_back(decision::is_port_set(cluster.predicates[id]));
        std::visit([&](const auto& set) { add(id, set); }, cluster.predicates[id]);
    }
}

std::vector<ObjectId> PredicateReach::selected(const selector::Selector& selector) const {
    std::vector<ObjectId> out;
    for (const std::uint32_t number : index_->labels.select(selector))
        out.push_back(index_->objects[number]);
    return out;
}

void PredicateReach::add(PredicateId id, const ObjectSet& set) {
    std::vector<net::Range> ranges;
    for (const ObjectId object : selected(set.selector)) {
        const Object& found = cluster_.world.object(object);
        if (found.kind == Object::Kind::NetworkSet)
            ranges.insert(ranges.end(), found.nets.ranges().begin(), found.nets.ranges().end());
        else
            by_object[object.value].push_back(id);
    }
    if (!ranges.empty())
        regions.emplace_back(id, net::AddressSet::of(std::move(ranges)));
    if (std::any_of(unread_sets_.begin(), unread_sets_.end(),
                    [&](ObjectId each) { return is_in_doubt(set, cluster_.world.object(each)); }))
        in_doubt.push_back(id);
}

void PredicateReach::add(PredicateId id, const NetSet& set) {
    if (!set.nets.empty())
        regions.emplace_back(id, set.nets);
}

void PredicateReach::add(PredicateId id, const ServiceSet& set) {
    const World& world = cluster_.world;
    if (is_in_doubt(set, world))
        in_doubt.push_back(id);
    if (const auto found = world.service_objects.find(set.key);
        found != world.service_objects.end())
        for (const ServiceObject& member : found->second) {
            if (!set.with_ports)
                by_object[member.object.value].push_back(id);
            else if (member.port)
                ports_by_object[member.object].push_back({id, member.protocol, *member.port});
        }
    const auto found = world.services.find(set.key);
    if (found == world.services.end())
        return;
    std::vector<net::Range> ranges;
    for (const ServiceMember& member : found->second) {
        if (!set.with_ports)
            ranges.push_back({member.address, member.address});
        else if (member.port)
            address_members[member.address].push_back({id, member.protocol, *member.port});
    }
    if (!ranges.empty())
        regions.emplace_back(id, net::AddressSet::of(std::move(ranges)));
}

void PredicateReach::add(PredicateId id, const NamedPortSet& set) {
    for (const ObjectId object : selected(set.selector))
        for (const policy::EndpointPort& declared : cluster_.world.object(object).ports)
            if (declared.name == set.name &&
                (set.protocol == 0 || set.protocol == declared.protocol))
                ports_by_object[object].push_back({id, declared.protocol, declared.port});
}

void PredicateReach::add(PredicateId id, const DomainSet&) {
    in_doubt.push_back(id);
}

void PredicateReach::add(PredicateId id, const UnreadSet&) {
    in_doubt.push_back(id);
}

void PredicateReach::add_unplaced(Identity& identity) const {
    const World& world = cluster_.world;
    // Any endpoint without address will do: the answer hangs on the pools alone.
    const Object* example = nullptr;
    std::uint32_t number = 0;
    for (; number < world.objects.size() && example == nullptr; ++number)
        if (world.objects[number].kind == Object::Kind::Workload &&
            !world.objects[number].addresses_known && world.objects[number].selectable)
            example = &world.objects[number];
    if (example == nullptr)
        return;
    const End end{{ObjectId{number - 1}}, std::nullopt};
    for (const auto& [id, nets] : regions) {
        const Tri answer = holds(NetSet{nets}, world, end, identity.family, 0, std::nullopt);
        if (answer == Tri::Yes)
            identity.yes.push_back(id);
        else if (answer == Tri::Unknown)
            identity.unknown.push_back(id);
    }
    if (world.unknown_address == UnknownAddress::Depends)
        for (const auto& [address, members] : address_members)
            if (address.family == identity.family)
                for (const PortMember& member : members)
                    identity.unknown.push_back(member.predicate);
    const auto tidy = [](std::vector<PredicateId>& list) {
        std::sort(list.begin(), list.end());
        list.erase(std::unique(list.begin(), list.end()), list.end());
    };
    tidy(identity.yes);
    tidy(identity.unknown);
}

} // namespace polecat::decision
