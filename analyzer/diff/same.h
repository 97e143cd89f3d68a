/// What two versions of a cluster have in common: programs that say the same, ends that no program
/// common to both tells apart. Flows between such ends by such programs are the same in both.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "ir/decision/identity.h"
#include "ir/decision/lowered.h"

namespace polecat::analyzer {

class Sameness {
  public:
    /// Both must outlive this.
    Sameness(const decision::LoweredCluster& base, const decision::LoweredCluster& head);

    /// Two programs say the same of every packet, as far as their text tells: true is certain.
    bool programs(std::optional<decision::ProgramId> base, std::optional<decision::ProgramId> head);
    /// The predicates that both versions have hold alike of both.
    bool identities(const decision::Identity& base, const decision::Identity& head) const;

  private:
    bool compare(const decision::Program& base, const decision::Program& head) const;

    const decision::LoweredCluster& base_;
    const decision::LoweredCluster& head_;
    std::vector<std::optional<decision::PredicateId>> in_head_; ///< by predicate of the base
    std::vector<bool> in_both_;                                 ///< by predicate of the head
    std::map<std::pair<std::uint32_t, std::uint32_t>, bool> known_;
};

} // namespace polecat::analyzer
