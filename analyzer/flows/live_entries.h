/// Which rules of a program match anything between two ends. Most match few ends: only those are
/// looked at whose predicates the ends are in.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "analyzer/flows/match_sets.h"

namespace polecat::analyzer {

class LiveEntries {
  public:
    /// Both must outlive this.
    LiveEntries(const decision::Program& program, MatchSets& sets);

    /// An entry that is not staged and matches something between the ends.
    struct Live {
        std::uint32_t stage = 0, entry = 0;
        SetBounds sets;
        bool operator==(const Live&) const = default;
    };
    struct Hash {
        std::size_t operator()(const std::vector<Live>& list) const;
    };
    /// In the program's order; valid until the next call. Cheap where its own end (the source of
    /// egress) is the same as that of the call before.
    const std::vector<Live>& between(const decision::Identity& source,
                                     const decision::Identity& destination);

  private:
    struct Entry {
        std::uint32_t stage = 0, entry = 0;
        MatchSets::Known* known = nullptr;
    };
    /// An entry that the own end of now can match.
    struct Candidate {
        const Entry* entry = nullptr;
        decision::Tri own = decision::Tri::Yes;
        /// Where the other end matches, and where it may; as far as it has no say in the ports.
        std::optional<SetBounds> certain, in_doubt;
    };
    const decision::EndMatch& other_side(const Entry& entry) const;
    void narrow(const decision::Identity& own);
    void find_candidates(const decision::Identity& other);
    SetBounds sets_of(Candidate& candidate, const decision::Identity& source,
                      const decision::Identity& destination);

    MatchSets& sets_;
    bool egress_;
    std::vector<Entry> entries_;
    std::optional<decision::Identity> own_;
    std::vector<Candidate> candidates_;
    std::vector<std::uint32_t> any_; ///< ask nothing of the other end
    std::vector<std::pair<std::uint32_t, std::uint32_t>> required_; ///< predicate, candidate
    std::vector<std::uint32_t> found_;
    std::vector<Live> live_;
};

} // namespace polecat::analyzer
