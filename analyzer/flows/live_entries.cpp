#include "analyzer/flows/live_entries.h"

#include <algorithm>

namespace polecat::analyzer {

using decision::Identity;
using decision::Tri;

std::size_t LiveEntries::Hash::operator()(const std::vector<Live>& list) const {
    std::size_t hash = list.size();
    const auto mix = [&](std::size_t value) { hash = (hash ^ value) * 0x9E3779B97F4A7C15u; };
    for (const Live& live : list) {
        mix((std::size_t{live.stage} << 32) | live.entry);
        mix((std::size_t{live.sets.sure} << 32) | live.sets.may);
    }
    return hash ^ (hash >> 29);
}

LiveEntries::LiveEntries(const decision::Program& program, MatchSets& sets)
    : sets_(sets), egress_(program.direction == decision::Direction::Egress) {
    for (std::uint32_t i = 0; i < program.stages.size(); ++i) {
        const auto& entries = program.stages[i].entries;
        for (std::uint32_t e = 0; e < entries.size(); ++e)
            if (!entries[e].staged)
                entries_.push_back({i, e, &sets.known(*entries[e].match, program.family)});
    }
}

const decision::EndMatch& LiveEntries::other_side(const Entry& entry) const {
    const decision::Match& match = entry.known->of();
    return egress_ ? match.destination : match.source;
}

void LiveEntries::narrow(const Identity& own) {
    own_ = own;
    candidates_.clear();
    any_.clear();
    required_.clear();
    for (const Entry& entry : entries_) {
        const decision::Match& match = entry.known->of();
        const Tri matches = end_matches(egress_ ? match.source : match.destination, own);
        if (matches == Tri::No)
            continue;
        const auto number = static_cast<std::uint32_t>(candidates_.size());
        candidates_.push_back({&entry, matches, std::nullopt, std::nullopt});
        const auto& all = other_side(entry).all;
        if (all.empty())
            any_.push_back(number);
        else
            required_.emplace_back(all.front().value, number);
    }
    std::sort(required_.begin(), required_.end());
}

/// An end matches nothing that requires a predicate which is not known to fail there, nor has
/// ports in it.
void LiveEntries::find_candidates(const Identity& other) {
    found_ = any_;
    const auto add = [&](decision::PredicateId id) {
        auto place = std::lower_bound(required_.begin(), required_.end(), std::pair(id.value, 0u));
        for (; place != required_.end() && place->first == id.value; ++place)
            found_.push_back(place->second);
    };
    std::for_each(other.yes.begin(), other.yes.end(), add);
    std::for_each(other.unknown.begin(), other.unknown.end(), add);
    for (const decision::PortMember& member : other.port_members)
        add(member.predicate);
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
}

SetBounds LiveEntries::sets_of(Candidate& candidate, const Identity& source,
                               const Identity& destination) {
    const Identity& other = egress_ ? destination : source;
    const decision::EndMatch& side = other_side(*candidate.entry);
    const Tri ends = decision::both(candidate.own, end_matches(side, other));
    if (ends == Tri::No)
        return {};
    MatchSets::Known& known = *candidate.entry->known;
    if (reads_ports(side, other))
        return sets_.between(known, ends, source, destination);
    auto& answer = ends == Tri::Yes ? candidate.certain : candidate.in_doubt;
    if (!answer)
        answer = sets_.between(known, ends, source, destination);
    return *answer;
}

const std::vector<LiveEntries::Live>& LiveEntries::between(const Identity& source,
                                                           const Identity& destination) {
    const Identity& own = egress_ ? source : destination;
    if (!own_ || *own_ != own)
        narrow(own);
    find_candidates(egress_ ? destination : source);
    live_.clear();
    for (const std::uint32_t number : found_) {
        Candidate& candidate = candidates_[number];
        const SetBounds sets = sets_of(candidate, source, destination);
        if (sets.may != 0)
            live_.push_back({candidate.entry->stage, candidate.entry->entry, sets});
    }
    return live_;
}

} // namespace polecat::analyzer
