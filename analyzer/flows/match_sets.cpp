#include "analyzer/flows/match_sets.h"

#include <algorithm>

namespace polecat::analyzer {

using decision::Identity;
using decision::Tri;

namespace {

/// Everything that entry_sets() reads of an end but whether it matches at all.
void append_ports(const decision::EndMatch& match, const Identity& end,
                  std::vector<std::uint64_t>& out) {
    constexpr std::uint64_t kSet = std::uint64_t{1} << 63, kUnknown = std::uint64_t{1} << 62;
    each_predicate(match, [&](decision::PredicateId id) {
        out.push_back(kSet | (end.holds(id) == Tri::Unknown ? kUnknown : 0) | id.value);
        auto member = std::lower_bound(end.port_members.begin(), end.port_members.end(),
                                       decision::PortMember{id, 0, 0});
        for (; member != end.port_members.end() && member->predicate == id; ++member)
            out.push_back((std::uint64_t{member->protocol} << 16) | member->port);
    });
}

} // namespace

MatchSets::Known& MatchSets::known(const decision::Match& match, net::Family family) {
    const auto [place, added] = known_[family == net::Family::V6].try_emplace(&match);
    if (added) {
        place->second.match = &match;
        place->second.packets = store_.intern(packets_of(match, family, atoms_));
    }
    return place->second;
}

SetBounds MatchSets::between(Known& known, Tri ends, const Identity& source,
                             const Identity& destination) {
    const decision::Match& match = *known.match;
    if (!reads_ports(match.source, source) && !reads_ports(match.destination, destination))
        return {ends == Tri::Yes ? known.packets : 0, known.packets};
    std::vector<std::uint64_t> read{ends == Tri::Yes};
    append_ports(match.source, source, read);
    append_ports(match.destination, destination, read);
    const auto [place, added] = known.by_ports.try_emplace(std::move(read));
    if (added)
        if (const auto sets = entry_sets(match, store_[known.packets], source, destination))
            place->second = {store_.intern(sets->sure), store_.intern(sets->may)};
    return place->second;
}

} // namespace polecat::analyzer
