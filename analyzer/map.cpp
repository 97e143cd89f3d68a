#include "analyzer/map.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "analyzer/program_sets.h"
#include "analyzer/set_store.h"

namespace polecat::analyzer {

using decision::Direction;
using decision::Identities;
using decision::Identity;
using decision::LoweredCluster;
using decision::ObjectId;
using decision::PredicateId;

namespace {

using MapPair = ConnectivityMap::Pair;

/// What one end lets through towards each group: one value for most, others for a few.
struct Profile {
    MapPair usual;
    std::vector<std::pair<std::uint32_t, MapPair>> others; ///< by group, ascending
};

} // namespace

struct ConnectivityMap::State {
    State(const LoweredCluster& lowered, const Identities& all, net::Family of, HttpAtoms requests)
        : cluster(lowered), ends(lowered, all, of), groups(ends.list()),
          atoms(std::move(requests)) {
        everything = store.intern(ConnectionSet::all());
        make_profiles();
    }

    MapPair evaluate(const ProgramFlows& flows, bool egress, const Identity& own,
                     const Identity& other) {
        const FlowSets sets = egress ? flows.between(own, other) : flows.between(other, own);
        const std::uint32_t allow = store.intern(sets.allow);
        return {allow, sets.allow == sets.may ? allow : store.intern(sets.may)};
    }

    /// How a program sees the two ends.
    struct Others {
        ProgramFlows flows;
        std::vector<PredicateId> own_side;
        GroupClasses::Partition partition; ///< of the groups as the other side
    };

    Others others_of(const decision::Program& program, bool egress) {
        return {ProgramFlows(program, atoms), predicates_of(program, egress),
                ends.others_of(program)};
    }

    Profile profile_of(bool egress, const Others& others, const Identity& own) {
        std::vector<MapPair> by_class;
        for (const Identity& seen : others.partition.classes)
            by_class.push_back(evaluate(others.flows, egress, own, seen));
        Profile out;
        out.usual = by_class.front();
        for (const auto& [group, number] : others.partition.groups)
            if (by_class[number] != out.usual)
                out.others.emplace_back(group, by_class[number]);
        return out;
    }

    void make_profiles() {
        profiles.push_back(Profile{{everything, everything}, {}}); // of ends that have no say
        profiles.push_back(Profile{{0, everything}, {}});          // of ends that may have one
        exceptions.resize(groups.size());
        for (const bool egress : {true, false}) {
            std::unordered_map<std::uint32_t, Others> others;
            std::map<std::pair<std::uint32_t, Identity>, std::uint32_t> known;
            auto& mine = egress ? egress_profile : ingress_profile;
            mine.assign(groups.size(), 0);
            for (std::uint32_t i = 0; i < groups.size(); ++i) {
                const auto& id = egress ? groups[i].egress : groups[i].ingress;
                if (!id) {
                    mine[i] = groups[i].unsure ? 1 : 0;
                    continue;
                }
                const decision::Program& program = cluster.program(*id);
                auto sides = others.find(id->value);
                if (sides == others.end())
                    sides = others.emplace(id->value, others_of(program, egress)).first;
                Identity own = restricted(ends.identity(i), sides->second.own_side);
                const auto next = static_cast<std::uint32_t>(profiles.size());
                const auto [place, added] = known.emplace(std::pair{id->value, own}, next);
                if (added)
                    profiles.push_back(profile_of(egress, sides->second, own));
                mine[i] = place->second;
            }
        }
        for (std::uint32_t i = 0; i < groups.size(); ++i)
            for (const auto& [source, pair] : profiles[ingress_profile[i]].others)
                exceptions[source].emplace_back(i, pair);
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
        std::vector<MapPair> out(groups.size());
        for (std::uint32_t i = 0; i < groups.size(); ++i)
            out[i] = profiles[ingress_profile[i]].usual;
        for (const auto& [destination, pair] : exceptions[source])
            out[destination] = pair;
        const Profile& mine = profiles[egress_profile[source]];
        auto next = mine.others.begin();
        ++round;
        for (std::uint32_t i = 0; i < groups.size(); ++i) {
            const bool special = next != mine.others.end() && next->first == i;
            out[i] = special ? meet(next->second, out[i]) : meet_usual(mine.usual, out[i]);
            if (special)
                ++next;
        }
        return out;
    }

    static MapPair find(const std::vector<std::pair<std::uint32_t, MapPair>>& list,
                        std::uint32_t group, const MapPair& usual) {
        const auto place = std::lower_bound(
            list.begin(), list.end(), group,
            [](const auto& each, std::uint32_t wanted) { return each.first < wanted; });
        return place != list.end() && place->first == group ? place->second : usual;
    }

    MapPair between(std::uint32_t source, std::uint32_t destination) {
        const Profile& out = profiles[egress_profile[source]];
        const Profile& in = profiles[ingress_profile[destination]];
        return meet(find(out.others, destination, out.usual), find(in.others, source, in.usual));
    }

    const LoweredCluster& cluster;
    EndGroups ends;
    const std::vector<EndGroup>& groups;
    HttpAtoms atoms;
    SetStore store;
    std::uint32_t everything = 0;
    std::vector<Profile> profiles;
    std::vector<std::uint32_t> egress_profile, ingress_profile; ///< by group
    /// By source: destinations whose ingress treats it unlike most.
    std::vector<std::vector<std::pair<std::uint32_t, MapPair>>> exceptions;
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
