#include "analyzer/flows/map.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "analyzer/flows/stored_flows.h"

namespace polecat::analyzer {

using decision::Direction;
using decision::Identities;
using decision::Identity;
using decision::LoweredCluster;
using decision::ObjectId;
using decision::PredicateId;

namespace {

using MapPair = ConnectivityMap::Pair;

/// Another end, and by its number what is let through there.
struct Exception {
    std::uint32_t group = 0, pair = 0;
};

/// What one end lets through towards each group: one value for most, others for a few.
struct Profile {
    MapPair usual;
    std::vector<Exception> others; ///< ascending
};

} // namespace

struct ConnectivityMap::State {
    State(const LoweredCluster& lowered, const Identities& all, net::Family of, HttpAtoms requests)
        : cluster(lowered), ends(lowered, all, of), groups(ends.list()),
          atoms(std::move(requests)) {
        everything = store.intern(ConnectionSet::all());
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

    /// A program, how it sees the ends of its own side and groups as its other side.
    struct Asked {
        decision::ProgramId id;
        StoredFlows flows;
        std::vector<PredicateId> own_side;
        GroupClasses::Partition others;
    };

    Profile profile_of(Asked& program, bool egress, const Identity& own) {
        std::vector<std::uint32_t> by_class;
        for (const Identity& seen : program.others.classes) {
            const MatchSets::Sets sets =
                egress ? program.flows.between(own, seen) : program.flows.between(seen, own);
            const std::uint32_t allow = shown(sets.yes);
            by_class.push_back(number_of({allow, shown(sets.may)}));
        }
        Profile out{pairs[by_class.front()], {}};
        for (const auto& [group, number] : program.others.groups)
            if (by_class[number] != by_class.front())
                out.others.push_back({group, by_class[number]});
        out.others.shrink_to_fit();
        return out;
    }

    /// What each group says as one end of flows: the profiles, and which one a group has.
    struct Side {
        std::vector<Profile> profiles;
        std::vector<std::uint32_t> of_group;
        const Profile& of(std::uint32_t group) const { return profiles[of_group[group]]; }
    };

    Side side_of(Direction direction) {
        MatchSets matches(atoms, working);
        std::optional<Asked> asked; // groups of one program mostly stand together
        std::map<std::pair<std::uint32_t, Identity>, std::uint32_t> known;
        const bool egress = direction == Direction::Egress;
        Side out;
        out.profiles.push_back(Profile{{everything, everything}, {}}); // of ends without a say
        out.profiles.push_back(Profile{{0, everything}, {}});          // they may have one
        for (std::uint32_t i = 0; i < groups.size(); ++i) {
            const auto id = groups[i].program(direction);
            if (!id) {
                out.of_group.push_back(groups[i].unsure ? 1 : 0);
                continue;
            }
            const decision::Program& program = cluster.program(*id);
            if (!asked || asked->id != *id)
                asked.emplace(Asked{*id, StoredFlows(program, matches),
                                    predicates_of(program, egress), ends.others_of(program)});
            Identity own = restricted(ends.identity(i), asked->own_side);
            const auto next = static_cast<std::uint32_t>(out.profiles.size());
            const auto [place, added] = known.try_emplace({id->value, std::move(own)}, next);
            if (added)
                out.profiles.push_back(profile_of(*asked, egress, place->first.second));
            out.of_group.push_back(place->second);
        }
        return out;
    }

    void make_profiles() {
        sending = side_of(Direction::Egress);
        const Side ingress = side_of(Direction::Ingress);
        std::vector<std::size_t> counts(groups.size(), 0);
        for (std::uint32_t i = 0; i < groups.size(); ++i) {
            usual_ingress.push_back(ingress.of(i).usual);
            for (const Exception& each : ingress.of(i).others)
                ++counts[each.group];
        }
        exceptions.resize(groups.size());
        for (std::uint32_t i = 0; i < groups.size(); ++i)
            exceptions[i].reserve(counts[i]);
        for (std::uint32_t i = 0; i < groups.size(); ++i)
            for (const Exception& each : ingress.of(i).others)
                exceptions[each.group].push_back({i, each.pair});
    }

    std::uint32_t number_of(const MapPair& pair) {
        const auto next = static_cast<std::uint32_t>(pairs.size());
        const auto [place, added] =
            pair_numbers.try_emplace((std::uint64_t{pair.allow} << 32) | pair.may, next);
        if (added)
            pairs.push_back(pair);
        return place->second;
    }

    MapPair meet(const MapPair& a, const MapPair& b) {
        MapPair out;
        out.allow = store.intersect(a.allow, b.allow);
        out.may = a.allow == a.may && b.allow == b.may ? out.allow : store.intersect(a.may, b.may);
        return out;
    }

    /// The same for what a source says of most, remembered for as long as its row is made.
    MapPair meet_usual(const MapPair& usual, const MapPair& theirs) {
        if (usual.allow != usual.may || theirs.allow != theirs.may)
            return meet(usual, theirs);
        if (theirs.allow >= met.size())
            met.resize(theirs.allow + 1);
        Met& known = met[theirs.allow];
        if (known.round != round)
            known = {round, store.intersect(usual.allow, theirs.allow)};
        return {known.set, known.set};
    }

    std::vector<MapPair> row(std::uint32_t source) {
        std::vector<MapPair> out = usual_ingress;
        for (const Exception& each : exceptions[source])
            out[each.group] = pairs[each.pair];
        const Profile& mine = sending.of(source);
        std::uint32_t next = 0; // first group that is not met yet
        ++round;
        const auto meet_most = [&](std::uint32_t stop) {
            if (mine.usual.may == 0)
                std::fill(out.begin() + next, out.begin() + stop, MapPair{});
            else
                for (std::uint32_t i = next; i < stop; ++i)
                    out[i] = meet_usual(mine.usual, out[i]);
            next = stop + 1;
        };
        for (const Exception& each : mine.others) {
            meet_most(each.group);
            out[each.group] = meet(pairs[each.pair], out[each.group]);
        }
        if (next < groups.size())
            meet_most(static_cast<std::uint32_t>(groups.size()));
        return out;
    }

    MapPair find(const std::vector<Exception>& list, std::uint32_t group,
                 const MapPair& usual) const {
        const auto place = std::lower_bound(
            list.begin(), list.end(), group,
            [](const Exception& each, std::uint32_t wanted) { return each.group < wanted; });
        return place != list.end() && place->group == group ? pairs[place->pair] : usual;
    }

    MapPair between(std::uint32_t source, std::uint32_t destination) {
        const Profile& mine = sending.of(source);
        return meet(find(mine.others, destination, mine.usual),
                    find(exceptions[source], destination, usual_ingress[destination]));
    }

    const LoweredCluster& cluster;
    EndGroups ends;
    const std::vector<EndGroup>& groups;
    HttpAtoms atoms;
    SetStore working;                    ///< what answers are made of
    std::vector<std::uint32_t> shown_as; ///< by number there
    SetStore store;                      ///< answers
    std::uint32_t everything = 0;
    std::vector<MapPair> pairs; ///< of exceptions
    std::unordered_map<std::uint64_t, std::uint32_t> pair_numbers;
    Side sending;
    std::vector<MapPair> usual_ingress; ///< by destination: what its ingress says of most
    /// By source: destinations whose ingress treats it unlike most, ascending.
    std::vector<std::vector<Exception>> exceptions;
    struct Met {
        std::uint32_t round = 0, set = 0;
    };
    std::vector<Met> met; ///< by set: what it has in common with the usual set of this round
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

std::optional<std::uint32_t> ConnectivityMap::group_of(ObjectId object) const {
    return state_->ends.group_of(object);
}

std::vector<MapPair> ConnectivityMap::row(std::uint32_t source) const {
    return state_->row(source);
}

MapPair ConnectivityMap::between(std::uint32_t source, std::uint32_t destination) const {
    return state_->between(source, destination);
}

const ConnectionSet& ConnectivityMap::set(std::uint32_t id) const {
    return state_->store[id];
}

const HttpAtoms& ConnectivityMap::http() const {
    return state_->atoms;
}

} // namespace polecat::analyzer
