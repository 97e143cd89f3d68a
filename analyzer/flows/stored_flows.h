/// ProgramFlows for many programs and many ends, by numbers of sets: what a rule matches is shared
/// by all programs that it is part of, and what matches alike is judged once.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "analyzer/flows/live_entries.h"

namespace polecat::analyzer {

class StoredFlows {
  public:
    /// Both must outlive this.
    StoredFlows(const decision::Program& program, MatchSets& sets)
        : program_(program), sets_(sets) {}

    /// What the program allows.
    SetBounds between(const decision::Identity& source, const decision::Identity& destination);

  private:
    SetBounds walk(const std::vector<LiveEntries::Live>& live);

    const decision::Program& program_;
    MatchSets& sets_;
    std::optional<LiveEntries> entries_; ///< once something is asked
    std::unordered_map<std::vector<LiveEntries::Live>, SetBounds, LiveEntries::Hash> known_;
};

} // namespace polecat::analyzer
