#include "analyzer/diff/two_worlds.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "analyzer/flows/map.h"

namespace polecat::analyzer {

using decision::Direction;
using decision::LoweredCluster;
using decision::ObjectId;

namespace {

/// What one world says of an end.
struct Side {
    std::uint32_t group = 0;
    bool sends = false, gets = false; ///< governed in that direction
    auto operator<=>(const Side&) const = default;
};
using End = std::array<Side, 2>;

/// Ends that neither world tells apart, and how many there are (1: an endpoint by itself).
struct Ends {
    std::map<End, std::size_t> endpoints, outside;
};

class Comparison {
  public:
    Comparison(const WorldFlows& first, const WorldFlows& second)
        : worlds_{first, second}, atoms_({&first.cluster, &second.cluster}),
          identities_{decision::Identities(first.cluster), decision::Identities(second.cluster)} {}

    TwoWorlds run() {
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            compare(family);
        return out_;
    }

  private:
    using Maps = std::array<ConnectivityMap, 2>;

    void compare(net::Family family) {
        const Maps maps{ConnectivityMap(worlds_[0].cluster, identities_[0], family, atoms_),
                        ConnectivityMap(worlds_[1].cluster, identities_[1], family, atoms_)};
        const Ends ends = collect(maps, family);
        for (const auto& [from, count] : ends.endpoints) {
            for (const auto& [to, unused] : ends.endpoints)
                if (&from != &to || count > 1)
                    compare_pair(maps, from, to);
            for (const auto& [to, unused] : ends.outside) {
                compare_pair(maps, from, to);
                compare_pair(maps, to, from);
            }
        }
    }

    Ends collect(const Maps& maps, net::Family family) const {
        Ends out;
        const auto add = [&](const auto& mine, const auto& theirs) {
            std::map<ObjectId, bool> seen; // several names may stand for one object
            for (const auto& [name, id] : mine) {
                const auto twin = theirs.find(name);
                if (twin == theirs.end() || !seen.emplace(id, true).second)
                    continue;
                const auto a = side(maps, 0, id, family), b = side(maps, 1, twin->second, family);
                if (a && b)
                    ++out.endpoints[{*a, *b}];
            }
        };
        add(worlds_[0].cluster.workloads_by_name, worlds_[1].cluster.workloads_by_name);
        add(worlds_[0].cluster.host_endpoints_by_name, worlds_[1].cluster.host_endpoints_by_name);
        add_outside(maps, out);
        return out;
    }

    std::optional<Side> side(const Maps& maps, std::size_t world, ObjectId object,
                             net::Family family) const {
        const auto group = maps[world].group_of(object);
        if (!group)
            return std::nullopt;
        const LoweredCluster& cluster = worlds_[world].cluster;
        return Side{*group, is_governed(cluster, object, Direction::Egress, family),
                    is_governed(cluster, object, Direction::Ingress, family)};
    }

    static void add_outside(const Maps& maps, Ends& out) {
        const auto &first = maps[0].groups(), &second = maps[1].groups();
        for (std::uint32_t a = 0; a < first.size(); ++a)
            for (std::uint32_t b = 0; b < second.size(); ++b)
                if (first[a].outside.intersects(second[b].outside))
                    ++out.outside[{Side{a, false, false}, Side{b, false, false}}];
    }

    void compare_pair(const Maps& maps, const End& from, const End& to) {
        std::array<ConnectionSet, 2> flows;
        for (const std::size_t i : {0u, 1u}) {
            const auto pair = maps[i].between(from[i].group, to[i].group);
            out_.depends = out_.depends || !pair.is_certain();
            if (worlds_[i].which == FlowsOf::Everything || from[i].sends || to[i].gets)
                flows[i] = maps[i].set(pair.sure);
        }
        out_.first_has_more = out_.first_has_more || !(flows[0] - flows[1]).empty();
        out_.second_has_more = out_.second_has_more || !(flows[1] - flows[0]).empty();
        out_.meet = out_.meet || !(flows[0] & flows[1]).empty();
    }

    std::array<WorldFlows, 2> worlds_;
    HttpAtoms atoms_;
    std::array<decision::Identities, 2> identities_;
    TwoWorlds out_;
};

} // namespace

bool is_governed(const LoweredCluster& cluster, ObjectId object, Direction direction,
                 net::Family family) {
    const auto* program = cluster.find(object, direction, decision::Hook::Normal, family);
    return program != nullptr && program->slots.any_enforced();
}

TwoWorlds compare_worlds(const WorldFlows& first, const WorldFlows& second) {
    return Comparison(first, second).run();
}

} // namespace polecat::analyzer
