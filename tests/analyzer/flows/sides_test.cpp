// The map by side against the map of pairs, pair by pair, on random clusters.
#include <doctest/doctest.h>

#include "analyzer/flows/program_flows.h"
#include "analyzer/flows/sides.h"
#include "tests/random_cluster.h"

using namespace polecat;
using namespace polecat::analyzer;
using decision::Direction;

namespace {

/// By group: what its side of a direction lets through towards every group.
std::vector<std::vector<Bounds<ConnectionSet>>> matrix(const Sides& sides, Direction direction) {
    const std::size_t count = sides.groups().size();
    const Bounds<ConnectionSet> everything{ConnectionSet::all(), ConnectionSet::all()};
    // Outside ends have no side, and let everything through.
    std::vector<std::vector<Bounds<ConnectionSet>>> out(
        count, std::vector<Bounds<ConnectionSet>>(count, everything));
    for (const Sides::Side& side : sides.list()) {
        if (side.direction != direction)
            continue;
        for (const std::uint32_t group : side.groups) {
            out[group].assign(count, Bounds<ConnectionSet>{});
            for (const Sides::Opening& opening : side.openings)
                for (const auto& [first, last] : sides.peers()[opening.peers])
                    for (std::uint32_t peer = first; peer <= last; ++peer) {
                        CHECK(out[group][peer].may.empty()); // openings name an end once
                        out[group][peer] = {sides.set(opening.connections.sure),
                                            sides.set(opening.connections.may)};
                    }
        }
    }
    return out;
}

/// The map's number of a group of the sides: they count in another order.
std::uint32_t in_map(const ConnectivityMap& map, const EndGroup& group) {
    if (!group.is_outside())
        return *map.group_of(group.objects.front());
    for (std::uint32_t i = 0; i < map.groups().size(); ++i)
        if (map.groups()[i].is_outside() && map.groups()[i].outside == group.outside)
            return i;
    FAIL("no such range");
    return 0;
}

} // namespace

TEST_CASE("both sides together are the map of pairs") {
    std::size_t open = 0, shut = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        testing::ClusterShape shape;
        shape.policies = 3 + seed % 9;
        shape.host_endpoints = seed % 3 == 0;
        shape.http = seed % 4 == 0;
        testing::RandomCluster cluster;
        testing::load_text(testing::ClusterWriter(seed, shape).write(), cluster);
        const decision::Identities identities(cluster.lowered);
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            const ConnectivityMap map(cluster.lowered, identities, family);
            const Sides sides(cluster.lowered, identities, family);
            REQUIRE(sides.groups().size() == map.groups().size());
            const auto egress = matrix(sides, Direction::Egress);
            const auto ingress = matrix(sides, Direction::Ingress);
            for (std::uint32_t from = 0; from < sides.groups().size(); ++from)
                for (std::uint32_t to = 0; to < sides.groups().size(); ++to) {
                    const auto pair = map.between(in_map(map, sides.groups()[from]),
                                                  in_map(map, sides.groups()[to]));
                    const Bounds<ConnectionSet>&out = egress[from][to], &in = ingress[to][from];
                    CHECK((out.sure & in.sure) == map.set(pair.sure));
                    CHECK((out.may & in.may) == map.set(pair.may));
                    ++(pair.may == 0 ? shut : open);
                }
        }
    }
    CHECK(open > 1000);
    CHECK(shut > 1000);
}

TEST_CASE("what a policy selects stands together when groups are numbered by membership") {
    const testing::ClusterShape shape{.namespaces = 6, .pods = 60, .policies = 20};
    testing::RandomCluster cluster;
    testing::load_text(testing::ClusterWriter(7, shape).write(), cluster);
    const decision::Identities identities(cluster.lowered);
    const auto ranges = [&](GroupOrder order) {
        const EndGroups ends(cluster.lowered, identities, net::Family::V4, {.order = order});
        std::size_t out = 0;
        for (std::uint32_t id = 0; id < cluster.lowered.predicates.size(); ++id)
            for (std::uint32_t i = 0; i < ends.list().size(); ++i) {
                const auto holds = [&](std::uint32_t group) {
                    return ends.identity(group).holds(decision::PredicateId{id}) ==
                           decision::Tri::Yes;
                };
                out += holds(i) && (i == 0 || !holds(i - 1)) ? 1 : 0;
            }
        return out;
    };
    CHECK(ranges(GroupOrder::ByMembership) < ranges(GroupOrder::AsDeclared));
}
