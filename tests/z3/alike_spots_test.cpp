// What the spots of a cluster share: eval is asked about one of those that a selector cannot tell
// apart, and says the same of each.
#include <doctest/doctest.h>

#include "analyzer/z3/existing_ends.h"
#include "tests/random_cluster.h"

using namespace polecat;
using selector::Selector;

namespace {

/// Every operator, about labels and values that some endpoints have and others don't.
std::vector<Selector> selectors() {
    const Selector has = Selector::has("app"), named = Selector::equal("app", "a");
    return {has,
            named,
            Selector::equal("app", "nobody's"),
            Selector::not_equal("app", "a"),
            Selector::not_equal("nobody's", "a"),
            Selector::in("role", {"a", "b"}),
            Selector::not_in("role", {"a", "b"}),
            Selector::contains("app", "a"),
            Selector::starts_with("role", "b"),
            Selector::ends_with("projectcalico.org/namespace", "1"),
            Selector::negate(Selector::equal("projectcalico.org/namespace", "n0")),
            Selector::all_of({named, Selector::has("role")}),
            Selector::any_of({named, Selector::has("projectcalico.org/orchestrator")}),
            Selector::all()};
}

/// At the address of a pod: what one endpoint lacks the other one has.
constexpr const char* kSharedAddress =
    "\n---\n{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: h1, labels: "
    "{role: b}}, spec: {node: node0, interfaceName: eth1, expectedIPs: [10.9.0.2]}}";

/// Columns of the predicates against eval; how many answers were Yes.
std::size_t check(const decision::LoweredCluster& cluster, net::Family family,
                  const std::vector<decision::PredicateId>& predicates) {
    const smt::ExistingEnds ends(cluster, family);
    std::size_t yes = 0;
    for (const decision::PredicateId id : predicates) {
        const auto& column = ends.column(id);
        for (std::size_t i = 0; i < ends.spots().size(); ++i) {
            const auto& [object, address] = ends.spots()[i];
            const decision::Tri expected =
                decision::holds(cluster.predicates[id], cluster.world, {{object}, address}, family,
                                0, std::nullopt);
            INFO(decision::to_string(cluster.predicates[id]), ", spot ", i);
            CHECK(column.kinds[column.kind_of[i]] == std::vector{expected});
            yes += expected == decision::Tri::Yes ? 1 : 0;
        }
    }
    return yes;
}

} // namespace

TEST_CASE("what is asked of one spot holds of all that are like it") {
    std::size_t yes = 0;
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        testing::ClusterShape shape;
        shape.pods = 20;
        shape.host_endpoints = true;
        testing::RandomCluster made;
        testing::load_text(testing::ClusterWriter(seed, shape).write() + kSharedAddress, made);
        decision::LoweredCluster& cluster = made.lowered;
        std::vector<decision::PredicateId> predicates;
        for (const Selector& each : selectors())
            predicates.push_back(cluster.predicates.intern(decision::ObjectSet{each}));
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            yes += check(cluster, family, predicates);
    }
    CHECK(yes > 500);
}
