/// Questions about one program and the ends that exist, answered by Z3. Each flow that shows an
/// answer was given to eval first, which agreed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/algebra/http_atoms.h"
#include "analyzer/effects/walk.h"
#include "analyzer/z3/existing_ends.h"
#include "analyzer/z3/session.h"

namespace polecat::smt {

/// Yes with a flow that shows it; No: proved; Unknown: the limit of steps was reached.
struct FlowAnswer {
    Answer::Kind kind = Answer::Kind::Unknown;
    std::optional<decision::Flow> witness;
    std::string reason;
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
