/// The identities of a family as programs see them. What a program asks holds of few kinds of
/// identities, however many there are: the work goes with whom its predicates hold of.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "ir/decision/identity.h"

namespace polecat::backends {

/// Identities that some predicates do not tell apart.
struct EndKinds {
    std::vector<std::uint32_t> of;        ///< kind, by place of an identity in FamilyEnds
    std::vector<decision::Identity> list; ///< each kind, with these predicates only
    std::vector<std::size_t> weight;      ///< how many identities are of it
};

class FamilyEnds {
  public:
    FamilyEnds(net::Family family,
               const std::map<std::uint32_t, const decision::Identity*>& by_number);

    /// In ascending order.
    const std::vector<std::uint32_t>& numbers() const { return numbers_; }
    std::size_t place_of(std::uint32_t number) const; ///< of one that is there
    EndKinds kinds(const std::vector<decision::PredicateId>& asked) const;

  private:
    using Places = std::vector<std::uint32_t>;
    struct Holders {
        Places yes, unknown, members;
    };
    net::Family family_;
    std::vector<std::uint32_t> numbers_;
    std::vector<const decision::Identity*> identities_;
    std::vector<Holders> holders_; ///< by predicate
};

} // namespace polecat::backends
