// Programs of a small scope as formulas, all flows of a small universe: the formulas say what eval
// says, and Z3 finds a flow of each verdict exactly where there is one.
#include <doctest/doctest.h>

#include "analyzer/z3/existing_ends.h"
#include "analyzer/z3/solver.h"
#include "tests/small_programs.h"

using namespace polecat;
using decision::Flow;
using decision::Verdict;
using smt::Term;

namespace {

struct ExhaustiveChecker {
    testing::SmallUniverse universe;
    smt::ExistingEnds ends{universe.cluster, net::Family::V4};
    analyzer::HttpAtoms requests;
    std::vector<Flow> packets = testing::small_packets();
    std::shared_ptr<smt::Engine> engine = std::make_shared<smt::Engine>();
    std::size_t programs = 0, wrong = 0, asked = 0;
    std::size_t verdicts[3] = {0, 0, 0};

    void check(const decision::Program& program, bool ask_solver) {
        ++programs;
        smt::Terms terms;
        smt::Packet packet(terms, requests, net::Family::V4);
        smt::EndVariables variables(terms, packet, {{&ends, {&program}}}, std::nullopt);
        const auto encoded =
            smt::encode(program, terms, packet, [&](decision::PredicateId id, bool source) {
                return variables.ask(id, source);
            });
        const Term domain = terms.both(packet.domain(), variables.domain());
        bool some_allowed = false, some_denied = false;
        for (const decision::End& source : universe.ends)
            for (const decision::End& destination : universe.ends)
                for (Flow flow : packets) {
                    flow.source = source;
                    flow.destination = destination;
                    const smt::Model model = model_of(flow, terms, variables);
                    if (!terms.holds(domain, model))
                        continue; // from an endpoint to itself
                    const Verdict verdict = decision::eval(program, universe.cluster.predicates,
                                                           universe.cluster.world, flow)
                                                .verdict;
                    ++verdicts[static_cast<std::size_t>(verdict)];
                    wrong += terms.holds(encoded.may_allow, model) != (verdict != Verdict::Deny);
                    wrong += terms.holds(encoded.may_deny, model) != (verdict != Verdict::Allow);
                    some_allowed = some_allowed || verdict != Verdict::Deny;
                    some_denied = some_denied || verdict != Verdict::Allow;
                }
        if (!ask_solver)
            return;
        ++asked;
        smt::Solver solver(terms, smt::kStepsPerQuestion, engine);
        solver.assume(domain);
        // Flows beyond the universe's may have the verdict too; eval is asked of those.
        for (const bool allow : {true, false}) {
            const auto answer = solver.check(allow ? encoded.may_allow : encoded.may_deny);
            const bool found = answer.kind == smt::Answer::Kind::Yes;
            wrong += (allow ? some_allowed : some_denied) && !found;
            if (!found)
                continue;
            Flow flow = packet.flow(answer.model);
            std::tie(flow.source, flow.destination) = variables.ends(answer.model);
            const Verdict verdict =
                decision::eval(program, universe.cluster.predicates, universe.cluster.world, flow)
                    .verdict;
            wrong += verdict == (allow ? Verdict::Deny : Verdict::Allow);
        }
    }

    static smt::Model model_of(const Flow& flow, smt::Terms& terms,
                               const smt::EndVariables& variables) {
        smt::Model out;
        const auto set = [&](const char* name, unsigned width, std::uint64_t value) {
            out[terms.variable(name, width)] = {0, value};
        };
        set("protocol", 8, flow.protocol);
        set("source port", 16, flow.source_port.value_or(0));
        set("destination port", 16, flow.destination_port.value_or(0));
        set("icmp type", 8, flow.icmp_type.value_or(0));
        set("icmp code", 8, flow.icmp_code.value_or(0));
        for (const bool source : {true, false}) {
            const decision::End& end = source ? flow.source : flow.destination;
            const auto number = variables.number_of(end, source);
            REQUIRE(number.has_value());
            out[variables.index(source)] = {0, *number};
            if (end.address)
                out[variables.address(source)] = {end.address->high, end.address->low};
        }
        return out;
    }

    void check_all(const std::vector<std::size_t>& sizes, std::size_t step) {
        const testing::SmallPrograms all(universe, sizes);
        for (std::size_t number = 0; number < all.count(); number += step)
            check(all[number], programs % 5 == 0);
    }
};

} // namespace

TEST_CASE("small programs, every flow: formulas, Z3 and eval agree") {
    ExhaustiveChecker checker;
    checker.check_all({1}, 1);
    checker.check_all({2}, 5); // no divisor of the numbers of matches and actions
    checker.check_all({1, 1}, 7);
    MESSAGE(checker.programs << " programs, " << checker.asked << " asked of Z3; "
                             << checker.verdicts[0] << " allow, " << checker.verdicts[1]
                             << " deny, " << checker.verdicts[2] << " depends");
    CHECK(checker.wrong == 0);
    CHECK(checker.programs > 900);
    CHECK(checker.asked > 100);
    for (const std::size_t each : checker.verdicts)
        CHECK(each > 1'000);
}
