/// The trail of all connections between two ends at once: what each rule and end of a tier of a
/// program takes of them, in order. eval()'s trail for every protocol and port.
#pragma once

#include <vector>

#include "analyzer/flows/program_flows.h"

namespace polecat::analyzer {

struct SetStep {
    std::size_t stage = 0; ///< index into Program::stages; stages.size(): the program's end
    decision::SlotId slot;
    decision::Action action = decision::Action::Deny; ///< what becomes of them; Pass: they go on
    bool is_rule = false;
    Bounds<ConnectionSet> taken; ///< what is decided here; nothing: `may` is empty
};

/// Staged rules are left out, as in eval().
std::vector<SetStep> set_trail(const ProgramFlows& flows, const decision::Identity& source,
                               const decision::Identity& destination);

/// The same for some of the connections: what was looked at until all of them were decided.
std::vector<SetStep> narrowed(const std::vector<SetStep>& trail, const ConnectionSet& traffic);

} // namespace polecat::analyzer
