// An identity of the base survives in one of which the same holds, as far as both know the
// predicates. Where several could go on (a predicate came that splits them, or one went that kept
// them apart), the one does that most places stay with.
#include "backends/node/renumber.h"

#include <algorithm>
#include <stdexcept>
#include <tuple>

#include "backends/node/node_image.h"

namespace polecat::backends {

namespace {

/// Predicates of the base by what they are here, and here those that the base knows.
struct Common {
    std::vector<std::uint32_t> here; ///< by the base's; kNoNumber
    std::vector<bool> in_base;

    Common(const std::vector<std::string>& base, const std::vector<std::string>& now)
        : in_base(now.size(), false) {
        for (const std::string& each : base) {
            const auto place = std::lower_bound(now.begin(), now.end(), each);
            const bool found = place != now.end() && *place == each;
            here.push_back(found ? static_cast<std::uint32_t>(place - now.begin()) : kNoNumber);
            if (found)
                in_base[here.back()] = true;
        }
    }

    /// The part of an identity that `rank` has a number for.
    template <class Rank> static Numbers::Identity part(Numbers::Identity of, const Rank& rank) {
        const auto each = [&](std::vector<std::uint32_t>& list) {
            for (std::uint32_t& number : list)
                number = rank(number);
            std::erase(list, kNoNumber);
            std::sort(list.begin(), list.end());
        };
        each(of.yes);
        each(of.unknown);
        for (auto& member : of.members)
            member.predicate = rank(member.predicate);
        std::erase_if(of.members, [](const auto& member) { return member.predicate == kNoNumber; });
        std::sort(of.members.begin(), of.members.end());
        return of;
    }
    Numbers::Identity of_base(const Numbers::Identity& identity) const {
        return part(identity, [&](std::uint32_t number) { return here[number]; });
    }
    Numbers::Identity of_now(const Numbers::Identity& identity) const {
        return part(identity,
                    [&](std::uint32_t number) { return in_base[number] ? number : kNoNumber; });
    }
};

} // namespace

FreeBlocks::FreeBlocks(std::map<std::string, std::uint32_t> blocks) : blocks_(std::move(blocks)) {
    fresh_.take(0);
    for (const auto& [space, block] : blocks_)
        fresh_.take(block);
}

void FreeBlocks::take(std::uint32_t number) {
    const std::uint32_t block = block_of(number);
    if (block != 0)
        fresh_.take(block);
    numbers_[block].take(number - (block << kBlockBits));
}

std::uint32_t FreeBlocks::next(const std::string& space) {
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

void keep_numbers(FoundIdentities& all, const std::vector<std::string>& predicates,
                  const Numbers& base) {
    const Common common(base.predicates, predicates);
    std::map<Numbers::Identity, std::vector<std::uint32_t>> before;
    for (const auto& [number, content] : base.identities)
        before[common.of_base(content)].push_back(number);
    // Who may go on as whom, those first that most places stay with.
    std::vector<std::tuple<std::int64_t, std::uint32_t, FoundIdentity*>> pairs;
    for (auto& [content, found] : all) {
        const auto same = before.find(common.of_now(content));
        found.number = kNoNumber;
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
        if (found->number == kNoNumber && given.insert(number).second)
            found->number = number;
}

} // namespace polecat::backends
