#include "analyzer/flows/map.h"

#include <algorithm>
#include <map>

#include "analyzer/algebra/pair_table.h"
#include "analyzer/flows/program_view.h"

namespace polecat::analyzer {

using decision::Direction;
using decision::Identities;
using decision::Identity;
using decision::LoweredCluster;
using decision::ObjectId;

namespace {

/// What is let through at some other end: a group, or all groups of one profile.
struct Exception {
    std::uint32_t other = 0, pair = 0; ///< numbers
};

/// What one end lets through towards each group: one pair for most, others for a few.
struct Profile {
    std::uint32_t usual = 0;
    std::vector<Exception> others; ///< ascending
};

} // namespace

struct ConnectivityMap::State {
    State(const LoweredCluster& lowered, const Identities& all, net::Family of, HttpAtoms requests)
        : cluster(lowered), ends(lowered, all, of), groups(ends.list()),
          atoms(std::move(requests)) {
        const std::uint32_t everything = store.intern(ConnectionSet::all());
        number_of({}); // kNothing
        number_of({everything, everything});
        make_profiles();
    }

    /// The numbers of sets that are shown are in the order of answers.
    std::uint32_t shown(SetStore::Id id) {
        constexpr std::uint32_t kNone = UINT32_MAX;
        if (id >= shown_as.size())
            shown_as.resize(id + 1, kNone);
        if (shown_as[id] == kNone)
            shown_as[id] = store.intern(working[id]);
        return shown_as[id];
    }

    Profile profile_of(ProgramView<StoredFlows>& program, const Identity& own) {
        std::vector<std::uint32_t> by_class;
        for (std::uint32_t i = 0; i < program.others().classes.size(); ++i) {
            const SetBounds sets = program.between(own, i);
            const std::uint32_t sure = shown(sets.sure);
            by_class.push_back(number_of({sure, shown(sets.may)}));
        }
        Profile out{by_class.front(), {}};
        const auto& others = program.others().groups;
        const auto is_unusual = [&](const auto& each) {
            return by_class[each.second] != out.usual;
        };
        const auto unusual = std::count_if(others.begin(), others.end(), is_unusual);
        out.others.reserve(static_cast<std::size_t>(unusual));
        for (const auto& each : others)
            if (is_unusual(each))
                out.others.push_back({each.first, by_class[each.second]});
        return out;
    }

    /// What each group says as one end of flows: the profiles, and which one a group has.
    struct Side {
        std::vector<Profile> profiles;
        std::vector<std::uint32_t> of_group;
    };

    Side side_of(Direction direction) {
        MatchSets matches(atoms, working);
        StoredViews views(cluster, matches, ends);
        std::map<std::pair<std::uint32_t, Identity>, std::uint32_t> known;
        Side out;
        out.profiles.push_back(Profile{kEverything, {}}); // of ends without a say
        out.profiles.push_back(
            Profile{number_of({0, pairs[kEverything].may}), {}}); // they may have one
        for (std::uint32_t i = 0; i < groups.size(); ++i) {
            const auto id = groups[i].program(direction);
            if (!id) {
                out.of_group.push_back(groups[i].unsure ? 1 : 0);
                continue;
            }
            ProgramView<StoredFlows>& view = views.of(*id);
            Identity own = view.own(ends.identity(i));
            const auto next = static_cast<std::uint32_t>(out.profiles.size());
            const auto [place, added] = known.try_emplace({id->value, std::move(own)}, next);
            if (added)
                out.profiles.push_back(profile_of(view, place->first.second));
            out.of_group.push_back(place->second);
        }
        return out;
    }

    void make_profiles() {
        sending = side_of(Direction::Egress);
        Side accepting = side_of(Direction::Ingress);
        std::vector<std::size_t> counts(groups.size(), 0);
        for (const Profile& profile : accepting.profiles)
            for (const Exception& each : profile.others)
                ++counts[each.other];
        exceptions.resize(groups.size());
        for (std::uint32_t i = 0; i < groups.size(); ++i)
            exceptions[i].reserve(counts[i]);
        for (std::uint32_t i = 0; i < accepting.profiles.size(); ++i) {
            const Profile profile = std::move(accepting.profiles[i]); // not both at once
            usual_ingress.push_back(profile.usual);
            for (const Exception& each : profile.others)
                exceptions[each.other].push_back({i, each.pair});
        }
        accepting_of = std::move(accepting.of_group);
        met.resize(pairs.size());
    }

    std::uint32_t number_of(const SetBounds& pair) {
        std::uint32_t& known = numbers(pair.sure, pair.may);
        if (known == PairTable::kNone) {
            known = static_cast<std::uint32_t>(pairs.size());
            pairs.push_back(pair);
        }
        return known;
    }

    std::uint32_t meet(std::uint32_t first, std::uint32_t second) {
        if (first == second || second == kEverything || first == kNothing)
            return first;
        if (first == kEverything || second == kNothing)
            return second;
        std::uint32_t& known = meets(std::min(first, second), std::max(first, second));
        if (known == PairTable::kNone) {
            known = number_of(store.meet(pairs[first], pairs[second]));
        }
        return known;
    }

    /// The same for what a source says of most, remembered for as long as its row is made.
    std::uint32_t meet_usual(std::uint32_t usual, std::uint32_t theirs) {
        Met& known = met[theirs];
        if (known.round != round)
            known = {round, meet(usual, theirs)};
        return known.pair;
    }

    std::vector<std::uint32_t> row(std::uint32_t source) {
        accepted = usual_ingress;
        for (const Exception& each : exceptions[source])
            accepted[each.other] = each.pair;
        const auto size = static_cast<std::uint32_t>(groups.size());
        std::vector<std::uint32_t> out(size, kNothing);
        const Profile& mine = sending.profiles[sending.of_group[source]];
        std::uint32_t next = 0; // first group that is not met yet
        ++round;
        const auto meet_most = [&](std::uint32_t stop) {
            if (mine.usual != kNothing)
                for (std::uint32_t i = next; i < stop; ++i)
                    out[i] = meet_usual(mine.usual, accepted[accepting_of[i]]);
            next = stop + 1;
        };
        // What all meets are noted in is far larger than a processor's cache.
        constexpr std::size_t kAhead = 8;
        for (std::size_t i = 0; i < mine.others.size(); ++i) {
            if (i + kAhead < mine.others.size()) {
                const Exception& later = mine.others[i + kAhead];
                const auto [low, high] =
                    std::minmax(later.pair, accepted[accepting_of[later.other]]);
                meets.prefetch(low, high);
            }
            const Exception& each = mine.others[i];
            meet_most(each.other);
            out[each.other] = meet(each.pair, accepted[accepting_of[each.other]]);
        }
        meet_most(size);
        return out;
    }

    static std::uint32_t find(const std::vector<Exception>& list, std::uint32_t other,
                              std::uint32_t usual) {
        const auto place = std::lower_bound(
            list.begin(), list.end(), other,
            [](const Exception& each, std::uint32_t wanted) { return each.other < wanted; });
        return place != list.end() && place->other == other ? place->pair : usual;
    }

    SetBounds between(std::uint32_t source, std::uint32_t destination) {
        const Profile& mine = sending.profiles[sending.of_group[source]];
        const std::uint32_t theirs = accepting_of[destination];
        return pairs[meet(find(mine.others, destination, mine.usual),
                          find(exceptions[source], theirs, usual_ingress[theirs]))];
    }

    static constexpr std::uint32_t kNothing = 0, kEverything = 1; ///< numbers of pairs
    const LoweredCluster& cluster;
    EndGroups ends;
    const std::vector<EndGroup>& groups;
    HttpAtoms atoms;
    SetStore working;                    ///< what answers are made of
    std::vector<std::uint32_t> shown_as; ///< by number there
    SetStore store;                      ///< answers
    std::vector<SetBounds> pairs;        ///< by number
    PairTable numbers;                   ///< of pairs, by both sets
    PairTable meets;                     ///< by numbers of two pairs: that of what is in both
    Side sending;
    std::vector<std::uint32_t> accepting_of;  ///< by destination: the profile of its ingress
    std::vector<std::uint32_t> usual_ingress; ///< by such profile: what it says of most sources
    /// By source: profiles of ingress that treat it unlike most.
    std::vector<std::vector<Exception>> exceptions;
    std::vector<std::uint32_t> accepted; ///< by profile of ingress, while a row is made
    struct Met {
        std::uint32_t round = 0, pair = 0;
    };
    std::vector<Met> met; ///< by pair: what it has in common with the usual one of this round
    std::uint32_t round = 0;
};

ConnectivityMap::ConnectivityMap(const LoweredCluster& cluster, const Identities& identities,
                                 net::Family family, std::optional<HttpAtoms> atoms)
    : state_(std::make_unique<State>(cluster, identities, family,
                                     atoms ? std::move(*atoms) : HttpAtoms({&cluster}))) {}
ConnectivityMap::~ConnectivityMap() = default;
ConnectivityMap::ConnectivityMap(ConnectivityMap&&) noexcept = default;

const std::vector<EndGroup>& ConnectivityMap::groups() const {
    return state_->groups;
}

EndGroups& ConnectivityMap::ends() const {
    return state_->ends;
}

std::optional<std::uint32_t> ConnectivityMap::group_of(ObjectId object) const {
    return state_->ends.group_of(object);
}

std::vector<std::uint32_t> ConnectivityMap::row(std::uint32_t source) const {
    return state_->row(source);
}

const SetBounds& ConnectivityMap::pair(std::uint32_t number) const {
    return state_->pairs[number];
}

SetBounds ConnectivityMap::between(std::uint32_t source, std::uint32_t destination) const {
    return state_->between(source, destination);
}

const ConnectionSet& ConnectivityMap::set(std::uint32_t id) const {
    return state_->store[id];
}

const HttpAtoms& ConnectivityMap::http() const {
    return state_->atoms;
}

} // namespace polecat::analyzer
