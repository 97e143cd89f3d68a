// All programs of a small scope, all flows of a small universe: eval, table and connection sets
// give one answer. Unknown addresses included.
#include <doctest/doctest.h>

#include "analyzer/flows/program_flows.h"
#include "analyzer/flows/stored_flows.h"
#include "ir/decision/table.h"
#include "tests/small_programs.h"

using namespace polecat;
using decision::Flow;
using decision::Program;
using decision::Verdict;

namespace {

bool contains(const analyzer::ConnectionSet& set, const Flow& flow) {
    if (flow.protocol == net::kIcmp)
        return set.icmp_types(net::kIcmp)
            .contains(static_cast<std::uint16_t>(*flow.icmp_type * 256));
    return set.ports(flow.protocol).destinations().contains(*flow.destination_port);
}

struct ExhaustiveChecker {
    testing::SmallUniverse universe;
    decision::Identities identities{universe.cluster};
    analyzer::HttpAtoms atoms;
    std::vector<decision::Identity> seen;
    std::vector<Flow> flows = testing::small_packets();
    std::size_t programs = 0, wrong = 0;
    std::size_t verdicts[3] = {0, 0, 0};

    ExhaustiveChecker() {
        for (const decision::End& end : universe.ends)
            seen.push_back(identities[end.address ? identities.of_address(*end.address)
                                                  : *identities.of_object(end.objects.front(),
                                                                          net::Family::V4)]);
    }

    void check(const Program& program) {
        ++programs;
        const auto table = decision::flatten(program, universe.cluster.predicates, seen, seen);
        REQUIRE(table.ok());
        const analyzer::ProgramFlows sets(program, atoms);
        analyzer::SetStore store;
        analyzer::MatchSets matches(atoms, store);
        analyzer::StoredFlows stored(program, matches);
        for (std::size_t i = 0; i < seen.size(); ++i)
            for (std::size_t j = 0; j < seen.size(); ++j) {
                const auto between = sets.between(seen[i], seen[j]);
                const auto numbers = stored.between(seen[i], seen[j]);
                wrong += store[numbers.sure] != between.sure || store[numbers.may] != between.may;
                for (Flow flow : flows) {
                    flow.source = universe.ends[i];
                    flow.destination = universe.ends[j];
                    const auto decision = decision::eval(program, universe.cluster.predicates,
                                                         universe.cluster.world, flow);
                    const auto& cell = table->at(
                        table->source.find(seen[i]), table->destination.find(seen[j]),
                        decision::find(table->source_ports, 1024), table->l4.of(*l4_key(flow)));
                    ++verdicts[static_cast<std::size_t>(decision.verdict)];
                    wrong += cell.verdict != decision.verdict || cell.slot != decision.slot ||
                             cell.logs != decision.logs ||
                             contains(between.sure, flow) != (decision.verdict == Verdict::Allow) ||
                             contains(between.may, flow) != (decision.verdict != Verdict::Deny);
                }
            }
    }

    /// Every program of these numbers of entries by stage.
    void check_all(const std::vector<std::size_t>& sizes) {
        const testing::SmallPrograms programs_of(universe, sizes);
        for (std::size_t number = 0; number < programs_of.count(); ++number)
            check(programs_of[number]);
    }
};

} // namespace

TEST_CASE("every small program, every flow: eval, table and sets agree") {
    ExhaustiveChecker checker;
    checker.check_all({1});
    checker.check_all({2});
    checker.check_all({1, 1});
    MESSAGE(checker.programs << " programs; " << checker.verdicts[0] << " allow, "
                             << checker.verdicts[1] << " deny, " << checker.verdicts[2]
                             << " depends");
    CHECK(checker.wrong == 0);
    CHECK(checker.programs > 6'000);
    for (const std::size_t each : checker.verdicts)
        CHECK(each > 10'000);
}
