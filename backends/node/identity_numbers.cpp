// An identity of the base survives in one of which the same holds, as far as both know the
// predicates. Where several could go on (a predicate came that splits them, or one went that kept
// them apart), the one does that most places stay with.
#include "backends/node/identity_numbers.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <tuple>

#include "backends/node/node_image.h"

namespace polecat::backends {

using decision::IdentityId;
using decision::PredicateId;

namespace {

constexpr std::uint32_t kGone = ~0u;

/// Predicates of the base by what they are here, and here those that the base knows.
struct Common {
    std::vector<std::uint32_t> here; ///< by the base's; kGone
    std::vector<bool> in_base;

    Common(const std::vector<std::string>& base, const std::vector<std::string>& now)
        : in_base(now.size(), false) {
        for (const std::string& each : base) {
            const auto place = std::lower_bound(now.begin(), now.end(), each);
            const bool found = place != now.end() && *place == each;
            here.push_back(found ? static_cast<std::uint32_t>(place - now.begin()) : kGone);
            if (found)
                in_base[here.back()] = true;
        }
    }

    /// The part of an identity that `rank` has a number for.
    template <class Rank> static Numbers::Identity part(Numbers::Identity of, const Rank& rank) {
        const auto each = [&](std::vector<std::uint32_t>& list) {
            for (std::uint32_t& number : list)
                number = rank(number);
            std::erase(list, kGone);
            std::sort(list.begin(), list.end());
        };
        each(of.yes);
        each(of.unknown);
        for (auto& member : of.members)
            member.predicate = rank(member.predicate);
        std::erase_if(of.members, [](const auto& member) { return member.predicate == kGone; });
        std::sort(of.members.begin(), of.members.end());
        return of;
    }
    Numbers::Identity of_base(const Numbers::Identity& identity) const {
        return part(identity, [&](std::uint32_t number) { return here[number]; });
    }
    Numbers::Identity of_now(const Numbers::Identity& identity) const {
        return part(identity,
                    [&](std::uint32_t number) { return in_base[number] ? number : kGone; });
    }
};

} // namespace

/// Free numbers by namespace. What belongs to no pod has the first block, and so have namespaces
/// that are too many; a block that is full goes on in one of nobody.
class FreeBlocks {
  public:
    explicit FreeBlocks(const Numbers& base) : blocks_(base.blocks) {
        fresh_.take(0);
        for (const auto& [space, block] : blocks_)
            fresh_.take(block);
    }

    void take(std::uint32_t number) {
        const std::uint32_t block = block_of(number);
        if (block != 0)
            fresh_.take(block);
        numbers_[block].take(number - (block << kBlockBits));
    }

    std::uint32_t next(const std::string& space) {
        std::uint32_t block = 0;
        if (!space.empty() && (blocks_.contains(space) || blocks_.size() < kMostNamed)) {
            const auto [place, added] = blocks_.try_emplace(space, 0);
            if (added)
                place->second = fresh_.next();
            if (place->second >= kMostIdentities >> kBlockBits)
                throw std::runtime_error("there are more identities than rules can number");
            block = place->second;
        }
        for (;;) {
            const auto further = further_.find(block);
            if (further != further_.end()) {
                block = further->second;
                continue;
            }
            // The last number of a block is not used: marks are one higher.
            const std::uint32_t number = numbers_[block].next();
            if (number + 1 < 1U << kBlockBits)
                return (block << kBlockBits) + number;
            further_[block] = fresh_.next();
            if (further_[block] >= kMostIdentities >> kBlockBits)
                throw std::runtime_error("there are more identities than rules can number");
        }
    }
    const std::map<std::string, std::uint32_t>& blocks() const { return blocks_; }

  private:
    static constexpr std::size_t kMostNamed = 100'000;
    std::map<std::string, std::uint32_t> blocks_;    ///< by namespace
    std::map<std::uint32_t, std::uint32_t> further_; ///< where a block that is full goes on
    std::map<std::uint32_t, FreeNumbers> numbers_;   ///< by block
    FreeNumbers fresh_;                              ///< blocks
};

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
            for (const net::Address& address : object.addresses)
                namespaces_.emplace(address, object.name.substr(0, object.name.find('/')));
    }
}

void IdentityNumbers::number(const Numbers& base) {
    FreeBlocks free(base);
    keep(base, free);
    for (auto& [content, found] : found_)
        if (found.number == kGone)
            found.number = free.next(found.space);
    for (const auto& [content, found] : found_)
        if (const auto block = free.blocks().find(found.space); block != free.blocks().end())
            record_.blocks.insert(*block);
}

/// What survives of the base keeps its number; of all others it is kGone.
void IdentityNumbers::keep(const Numbers& base, FreeBlocks& free) {
    const Common common(base.predicates, record_.predicates);
    std::map<Numbers::Identity, std::vector<std::uint32_t>> before;
    for (const auto& [number, content] : base.identities) {
        before[common.of_base(content)].push_back(number);
        free.take(number);
    }
    // Who may go on as whom, those first that most places stay with.
    std::vector<std::tuple<std::int64_t, std::uint32_t, Found*>> pairs;
    for (auto& [content, found] : found_) {
        const auto same = before.find(common.of_now(content));
        found.number = kGone;
        if (same == before.end())
            continue;
        std::map<std::uint32_t, std::int64_t> stay;
        for (const auto& [address, is_range] : found.places) {
            const auto& places = is_range ? base.ranges : base.addresses;
            if (const auto was = places.find(address); was != places.end())
                ++stay[was->second];
        }
        for (const std::uint32_t number : same->second)
            pairs.emplace_back(-stay[number], number, &found);
    }
    std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) {
        return std::tie(std::get<0>(a), std::get<1>(a)) < std::tie(std::get<0>(b), std::get<1>(b));
    });
    std::set<std::uint32_t> given;
    for (auto& [stay, number, found] : pairs)
        if (found->number == kGone && given.insert(number).second)
            found->number = number;
}

} // namespace polecat::backends
