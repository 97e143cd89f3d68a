#include "backends/node/identity_numbers.h"

#include <algorithm>
#include <stdexcept>

#include "backends/node/renumber.h"

namespace polecat::backends {

using decision::IdentityId;
using decision::PredicateId;

NumberedIdentities::NumberedIdentities(std::vector<Each> list) : list_(std::move(list)) {
    std::sort(list_.begin(), list_.end());
}

const decision::Identity* NumberedIdentities::find(std::uint32_t number) const {
    const auto place =
        std::lower_bound(list_.begin(), list_.end(), number,
                         [](const Each& each, std::uint32_t than) { return each.first < than; });
    return place == list_.end() || place->first != number ? nullptr : place->second;
}

const decision::Identity& NumberedIdentities::at(std::uint32_t number) const {
    if (const decision::Identity* found = find(number))
        return *found;
    throw std::out_of_range("no identity has the number");
}

IdentityNumbers::IdentityNumbers(const decision::LoweredCluster& cluster,
                                 const decision::Identities& identities, const Numbers& base) {
    rank_predicates(cluster);
    find_namespaces(cluster);
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        for (const auto& [address, id] : identities.endpoint_addresses(family))
            meet(id, address, false, identities);
        for (const auto& [address, id] : identities.member_addresses(family))
            meet(id, address, false, identities);
        for (const auto& [range, id] : identities.ranges(family))
            meet(id, range.first, true, identities);
    }
    number(base);
    std::map<net::Family, std::vector<NumberedIdentities::Each>> by_number;
    for (const auto& [content, found] : found_) {
        record_.identities[found.number] = content;
        by_number[content.family].emplace_back(found.number, &identities[found.id]);
        for (const auto& [address, is_range] : found.places)
            (is_range ? record_.ranges : record_.addresses)[address] = found.number;
    }
    for (const net::Family family : {net::Family::V4, net::Family::V6})
        by_number_.emplace(family, std::move(by_number[family]));
    find_outside();
}

IdentityNumbers::IdentityNumbers(Numbers record, Recorded by_number)
    : recorded_(std::move(by_number)), record_(std::move(record)) {
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        std::vector<NumberedIdentities::Each> list;
        for (const auto& [number, identity] : recorded_)
            if (identity.family == family)
                list.emplace_back(number, &identity);
        by_number_.emplace(family, std::move(list));
    }
    find_outside();
}

/// Ranges cover all addresses, so that each ends before the next.
void IdentityNumbers::find_outside() {
    for (auto range = record_.ranges.begin(); range != record_.ranges.end(); ++range) {
        const auto next = std::next(range);
        const net::Family family = range->first.family;
        const bool last = next == record_.ranges.end() || next->first.family != family;
        outside_[{range->first, last ? net::last_address(family) : *net::previous(next->first)}] =
            range->second;
    }
}

void IdentityNumbers::rank_predicates(const decision::LoweredCluster& cluster) {
    std::vector<std::string> digests;
    for (std::uint32_t i = 0; i < cluster.predicates.size(); ++i)
        digests.push_back(digest_of(to_string(cluster.predicates[PredicateId{i}]), 24));
    record_.predicates = digests;
    std::sort(record_.predicates.begin(), record_.predicates.end());
    for (const std::string& each : digests)
        rank_.push_back(static_cast<std::uint32_t>(
            std::lower_bound(record_.predicates.begin(), record_.predicates.end(), each) -
            record_.predicates.begin()));
}

Numbers::Identity IdentityNumbers::content_of(const decision::Identity& identity) const {
    Numbers::Identity out;
    out.family = identity.family;
    for (const PredicateId id : identity.yes)
        out.yes.push_back(rank_[id.value]);
    for (const PredicateId id : identity.unknown)
        out.unknown.push_back(rank_[id.value]);
    for (const decision::PortMember& member : identity.port_members)
        out.members.push_back({rank_[member.predicate.value], member.protocol, member.port});
    std::sort(out.yes.begin(), out.yes.end());
    std::sort(out.unknown.begin(), out.unknown.end());
    std::sort(out.members.begin(), out.members.end());
    return out;
}

void IdentityNumbers::meet(IdentityId id, const net::Address& at, bool is_range,
                           const decision::Identities& identities) {
    const auto [known, added] = by_id_.try_emplace(id.value);
    if (added) {
        known->second = &found_[content_of(identities[id])];
        known->second->id = id;
    }
    known->second->places.emplace_back(at, is_range);
    const auto space = namespaces_.find(at);
    if (!is_range && space != namespaces_.end() &&
        (known->second->space.empty() || space->second < known->second->space))
        known->second->space = space->second;
}

void IdentityNumbers::find_namespaces(const decision::LoweredCluster& cluster) {
    for (const decision::Endpoint& endpoint : cluster.endpoints) {
        const decision::Object& object = cluster.world.object(endpoint.object);
        if (object.kind == decision::Object::Kind::Workload)
            for (const net::Address& address : object.addresses) {
                std::string space = object.name.substr(0, object.name.find('/'));
                const auto [known, added] = namespaces_.emplace(address, space);
                if (!added && space < known->second) // in whatever order they come
                    known->second = std::move(space);
            }
    }
}

void IdentityNumbers::number(const Numbers& base) {
    keep_numbers(found_, record_.predicates, base);
    FreeBlocks free(base.blocks);
    for (const auto& [number, content] : base.identities)
        free.take(number);
    for (auto& [content, found] : found_)
        if (found.number == kNoNumber)
            found.number = free.next(found.space);
    for (const auto& [content, found] : found_)
        if (const auto block = free.blocks().find(found.space); block != free.blocks().end())
            record_.blocks.insert(*block);
}

} // namespace polecat::backends
