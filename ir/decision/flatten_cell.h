/// One cell of a table: eval() on classes instead of ends. For ir/decision/flatten.cpp.
#pragma once

#include <unordered_map>
#include <utility>
#include <vector>

#include "ir/decision/table.h"

namespace polecat::decision {

/// A packet that stands for its class.
struct Packet {
    net::Protocol protocol = net::kTcp;
    std::uint16_t value = 0; ///< destination port, or ICMP type * 256 + code
    std::uint16_t source_port = 0;
};

/// The entries of a program by a predicate that must hold of one side, so that a class looks only
/// at entries that it can match.
class EntryIndex {
  public:
    /// `by_source`: keyed by the source side's predicates, otherwise by the destination's.
    EntryIndex(const Program& program, const PredicateStore& predicates, bool by_source);
    /// Positions (stage, entry) of the entries that may match a class, ascending.
    std::vector<std::pair<std::uint32_t, std::uint32_t>> candidates(const EndClass& end) const;

  private:
    using Position = std::pair<std::uint32_t, std::uint32_t>;
    std::vector<Position> always_;
    std::unordered_map<std::uint32_t, std::vector<Position>> by_predicate_;
};

/// Judges packets between two classes. Entries that the classes rule out are left out once.
class CellJudge {
  public:
    /// `positions`: entries to look at (EntryIndex::candidates of either side).
    CellJudge(const Program& program, const PredicateStore& predicates, const EndClass& source,
              const EndClass& destination,
              const std::vector<std::pair<std::uint32_t, std::uint32_t>>& positions);
    Cell at(const Packet& packet) const;
    /// act(match) for the entries that the two classes do not rule out.
    template <class Act> void each_candidate(const Act& act) const {
        for (const auto& stage : stages_)
            for (const Candidate& candidate : stage)
                act(*candidate.entry->match);
    }

  private:
    struct Candidate {
        const Entry* entry;
        Tri ends; ///< what the predicates without ports say
    };
    Tri matches(const Candidate& candidate, const Packet& packet) const;
    void judge(const Packet& packet, bool staged, Cell& cell) const;

    const Program& program_;
    const PredicateStore& predicates_;
    const EndClass& source_;
    const EndClass& destination_;
    std::vector<std::vector<Candidate>> stages_;
    bool has_staged_ = false;
};

} // namespace polecat::decision
