// Formulas: what is printed, translated and evaluated is one thing. Random ones, against every
// value of their variables; the text is given to z3 and to cvc5, which share no code with us or
// with each other.
#include <doctest/doctest.h>

#include "analyzer/z3/smtlib.h"
#include "analyzer/z3/solver.h"
#include "tests/random_cluster.h"
#include "tests/z3/second_opinion.h"

using namespace polecat;
using smt::Answer;
using smt::Term;
using smt::Terms;

namespace {

struct Writer {
    Terms& terms;
    testing::Random& random;
    std::vector<Term> numbers, truths;

    Writer(Terms& of, testing::Random& by) : terms(of), random(by) {
        numbers = {terms.variable("a", 4), terms.variable("b|", 4)};
        truths = {terms.variable("p q", 0)};
        for (int i = 0; i < 12; ++i)
            add();
    }
    Term number() {
        return random.chance(40) ? terms.number(random.below(16), 4) : random.pick(numbers);
    }
    void add() {
        switch (random.below(7)) {
        case 0:
            return truths.push_back(terms.negate(random.pick(truths)));
        case 1:
            return truths.push_back(terms.both(random.pick(truths), random.pick(truths)));
        case 2:
            return truths.push_back(
                terms.any_of({random.pick(truths), random.pick(truths), random.pick(truths)}));
        case 3:
            return truths.push_back(terms.equal(number(), number()));
        case 4:
            return truths.push_back(terms.less(number(), number()));
        case 5:
            return truths.push_back(
                terms.in_range(number(), {0, random.below(8)}, {0, 7 + random.below(9)}));
        default: {
            const auto part = [&] { return terms.extract(random.pick(numbers), 1, 2); };
            return truths.push_back(terms.equal(part(), part()));
        }
        }
    }
};

bool some_model(const Terms& terms, Term a, Term b, Term p, Term wanted) {
    for (std::uint64_t i = 0; i < 512; ++i)
        if (terms.holds(wanted, {{a, {0, i & 15}}, {b, {0, (i >> 4) & 15}}, {p, {0, i >> 8}}}))
            return true;
    return false;
}

} // namespace

TEST_CASE("random formulas: every value, Z3, and two programs that read the text") {
    testing::Random random(5);
    std::size_t yes = 0, no = 0;
    std::vector<testing::Query> queries;
    for (int round = 0; round < 300; ++round) {
        Terms terms;
        Writer writer(terms, random);
        const Term wanted =
            terms.all_of({writer.truths.back(), random.pick(writer.truths),
                          terms.negate(random.pick(writer.truths)), random.pick(writer.truths)});
        const bool expected =
            some_model(terms, writer.numbers[0], writer.numbers[1], writer.truths[0], wanted);
        smt::Solver solver(terms);
        const Answer answer = solver.check(wanted);
        REQUIRE(answer.kind != Answer::Kind::Unknown);
        CHECK((answer.kind == Answer::Kind::Yes) == expected);
        if (expected)
            CHECK(terms.holds(wanted, answer.model));
        ++(expected ? yes : no);
        if (round < 40)
            queries.push_back({smt::to_smtlib(terms, {wanted}, "random", "unknown"), expected});
    }
    CHECK(yes > 50);
    CHECK(no > 50);
    testing::check_again(queries);
}

TEST_CASE("wide numbers and the limit of steps") {
    Terms terms;
    const Term address = terms.variable("address", 128);
    const smt::Bits value{0x20010db800000000, 42};
    const Term exactly = terms.equal(address, terms.constant(value, 128));
    smt::Solver solver(terms);
    const Answer found = solver.check(exactly);
    REQUIRE(found.kind == Answer::Kind::Yes);
    CHECK(found.model.at(address) == value);
    CHECK(terms.evaluate(terms.extract(address, 64, 64), found.model).low == value.high);
    solver.assume(terms.less(address, terms.constant(value, 128)));
    CHECK(solver.check(exactly).kind == Answer::Kind::No);
    CHECK(solver.check(terms.truth(true)).kind == Answer::Kind::Yes); // nothing is left behind
}
