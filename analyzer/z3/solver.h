/// Asks Z3 whether formulas can hold. Work is bounded by Z3's own count of steps, not by time, so
/// that every machine gives the same answer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>

#include "analyzer/z3/formula.h"

namespace polecat::smt {

struct Answer {
    enum class Kind : std::uint8_t { Yes, No, Unknown } kind = Kind::Unknown;
    Model model;        ///< Yes
    std::string reason; ///< Unknown
};

/// Z3's "resource limit" for one question.
inline constexpr unsigned kStepsPerQuestion = 20'000'000;

/// What solvers share: making one costs milliseconds. Not thread-safe.
class Engine {
  public:
    Engine();
    ~Engine();

    /// Formulas (Terms::key) that can't hold. Programs of a cluster are much alike, so that half of
    /// the questions were asked before.
    std::unordered_set<std::string> refuted;

  private:
    friend class Solver;
    struct State;
    std::unique_ptr<State> state_;
};

class Solver {
  public:
    /// `terms` must outlive it and may grow.
    explicit Solver(const Terms& terms, unsigned steps = kStepsPerQuestion,
                    std::shared_ptr<Engine> engine = std::make_shared<Engine>());
    ~Solver();

    /// Holds in every question from now on.
    void assume(Term term);
    /// Can it hold together with what is assumed? What was learned is kept for the next question.
    Answer check(Term term);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace polecat::smt
