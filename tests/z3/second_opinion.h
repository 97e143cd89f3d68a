/// Gives queries in SMT-LIB to the programs z3 and cvc5 and compares. A program that is missing is
/// said aloud, and is a failure where CI=true.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "runtime/process.h"

namespace polecat::testing {

struct Query {
    std::string text;
    bool satisfiable = false;
};

inline void check_again(const std::vector<Query>& queries) {
    const std::vector<std::vector<std::string>> programs{{"z3", "-in", "-smt2"},
                                                         {"cvc5", "--lang=smt2", "-"}};
    for (const auto& program : programs) {
        std::size_t agreed = 0;
        for (const Query& query : queries) {
            const auto output = runtime::run_program(program, query.text);
            if (!output.ok() || output->exit_code == 127) {
                const char* ci = std::getenv("CI");
                MESSAGE("SKIPPED: no program " << program.front());
                CHECK((ci == nullptr || std::string(ci) != "true"));
                break;
            }
            const bool same = output->out == (query.satisfiable ? "sat\n" : "unsat\n");
            CHECK_MESSAGE(same, program.front() << " says " << output->out << output->error);
            agreed += same ? 1 : 0;
        }
        MESSAGE(program.front() << " agrees on " << agreed << " of " << queries.size());
    }
}

} // namespace polecat::testing
