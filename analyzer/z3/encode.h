/// Decision programs as formulas: when each entry matches, when a flow comes to it, when the
/// program may allow and may deny. Three-valued as eval is: what is certain and what may be are two
/// formulas.
#pragma once

#include <functional>
#include <vector>

#include "analyzer/z3/packet.h"

namespace polecat::smt {

/// Of a match or predicate.
struct Bounds {
    Term yes; ///< certainly
    Term may; ///< certainly, or not known
};

/// What a predicate says of the flow's source or destination.
using AskEnd = std::function<Bounds(decision::PredicateId predicate, bool source)>;

struct EncodedEntry {
    Bounds match;
    Term arriving; ///< some run of eval looks at it
};

struct EncodedStage {
    Term arriving, leaving;            ///< at its start; at its end, undecided
    std::vector<EncodedEntry> entries; ///< staged ones too, as if they matched nothing
};

struct EncodedProgram {
    std::vector<EncodedStage> stages;
    Term may_allow, may_deny;
};

Bounds encode(const decision::Match& match, Terms& terms, Packet& packet, const AskEnd& ask);
EncodedProgram encode(const decision::Program& program, Terms& terms, Packet& packet,
                      const AskEnd& ask);

} // namespace polecat::smt
