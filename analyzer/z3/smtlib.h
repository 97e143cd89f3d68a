/// Formulas as SMT-LIB 2 text, logic QF_BV.
#pragma once

#include <string>
#include <vector>

#include "analyzer/z3/formula.h"

namespace polecat::smt {

/// A script that asks whether all of `asserted` can hold together. `about`: what that means, for
/// the reader; `status`: "sat", "unsat" or "unknown", what we hold the answer to be.
std::string to_smtlib(const Terms& terms, const std::vector<Term>& asserted,
                      const std::string& about, const std::string& status);

} // namespace polecat::smt
