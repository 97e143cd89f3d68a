/// Questions that share what is given: one solver, made when something is asked that was not asked
/// before, and every question written out.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "analyzer/z3/solver.h"

namespace polecat::smt {

/// Z3 and eval, or Z3 and the exact algebra, say different things: a fault of polecat.
struct Disagreement : std::logic_error {
    using std::logic_error::logic_error;
};

/// Takes every query that was asked: what it means, and its text in SMT-LIB.
using QuerySink = std::function<void(const std::string& about, const std::string& smtlib)>;

struct QueryOptions {
    unsigned steps = kStepsPerQuestion;
    QuerySink sink;                                              ///< may be empty
    std::shared_ptr<Engine> engine = std::make_shared<Engine>(); ///< copies share it
    unsigned jobs = 1; ///< threads, where questions can be split; with a sink one
};

class Session {
  public:
    /// `terms` must outlive it and may grow. `given` holds in every question.
    Session(const Terms& terms, Term given, const QueryOptions& options)
        : terms_(terms), given_(given), options_(options) {}

    /// Can it hold? Throws Disagreement when our own evaluation does not agree with a model.
    Answer ask(Term wanted, const std::string& about);

  private:
    Answer find(Term wanted);

    const Terms& terms_;
    const Term given_;
    const QueryOptions options_;
    std::optional<Solver> solver_;
};

} // namespace polecat::smt
