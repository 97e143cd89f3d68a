/// Questions about one program and the ends that exist, answered by Z3. Each flow that shows an
/// answer was given to eval first, which agreed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "analyzer/effects_walk.h"
#include "analyzer/http_atoms.h"
#include "analyzer/z3/existing_ends.h"
#include "analyzer/z3/solver.h"

namespace polecat::smt {

/// Z3 and eval, or Z3 and the exact algebra, say different things: a fault of polecat.
struct Disagreement : std::logic_error {
    using std::logic_error::logic_error;
};

/// Yes with a flow that shows it; No: proved; Unknown: the limit of steps was reached.
struct FlowAnswer {
    Answer::Kind kind = Answer::Kind::Unknown;
    std::optional<decision::Flow> witness;
    std::string reason;
};

/// Takes every query that was asked: what it means, and its text in SMT-LIB.
using QuerySink = std::function<void(const std::string& about, const std::string& smtlib)>;

struct QueryOptions {
    unsigned steps = kStepsPerQuestion;
    QuerySink sink;                                              ///< may be empty
    std::shared_ptr<Engine> engine = std::make_shared<Engine>(); ///< copies share it
};

class ProgramQuestions {
  public:
    /// `own`: the endpoints that run it; absent: packets have any ends on that side. All must
    /// outlive this.
    ProgramQuestions(const ExistingEnds& ends, const analyzer::HttpAtoms& requests,
                     const decision::Program& program,
                     std::optional<std::vector<decision::ObjectId>> own, QueryOptions options);
    ~ProgramQuestions();

    /// Is there a flow that matches, or may match, one of the unit's entries?
    FlowAnswer matches(const analyzer::Unit& unit);
    /// ... and that nothing before it takes? No: it is shadowed.
    FlowAnswer decides(const analyzer::Unit& unit);
    /// Is there a flow that comes to the unit's place?
    FlowAnswer reached(const analyzer::Unit& unit);
    /// Is there a flow whose verdict is another one without the unit? No: it is redundant.
    FlowAnswer needed(const analyzer::Unit& unit);
    /// Is there a flow that the other program judges differently?
    FlowAnswer differs(const decision::Program& other);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The program without the unit.
decision::Program without(const decision::Program& program, const analyzer::Unit& unit);

} // namespace polecat::smt
