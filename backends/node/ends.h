/// The identities of a family as programs see them. What a program asks holds of few kinds of
/// identities, however many there are: the work goes with whom its predicates hold of.
#pragma once

#include <cstdint>
#include <vector>

#include "backends/node/identity_numbers.h"
#include "ir/decision/table.h"

namespace polecat::backends {

class FamilyEnds {
  public:
    explicit FamilyEnds(const NumberedIdentities& by_number);

    /// In ascending order.
    const std::vector<std::uint32_t>& numbers() const { return numbers_; }
    /// Of all of them. `asked`: sorted.
    decision::EndKinds kinds(const std::vector<decision::PredicateId>& asked) const;

  private:
    using Places = std::vector<std::uint32_t>;
    struct Holders {
        Places yes, unknown, members;
    };
    std::vector<std::uint32_t> numbers_;
    std::vector<const decision::Identity*> identities_;
    std::vector<Holders> holders_; ///< by predicate
};

} // namespace polecat::backends
