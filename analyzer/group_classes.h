/// Cuts the groups of a map into classes that a few predicates can't tell apart, in time
/// proportional to the memberships of those predicates.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "ir/decision/identity.h"

namespace polecat::analyzer {

class GroupClasses {
  public:
    /// One identity for each group; must outlive this.
    GroupClasses(std::vector<const decision::Identity*> groups, std::size_t predicates);

    struct Partition {
        /// What the predicates see of each class; class 0: none of them holds.
        std::vector<decision::Identity> classes;
        /// Group and class, ascending by group; all others are of class 0.
        std::vector<std::pair<std::uint32_t, std::uint32_t>> groups;
    };
    /// `predicates` sorted. Not thread-safe: it uses room of the object.
    Partition partition(const std::vector<decision::PredicateId>& predicates);

  private:
    struct Member {
        std::uint32_t group = 0;
        decision::Tri truth = decision::Tri::Yes;
    };
    void refine(decision::PredicateId predicate);
    void refine_by_ports(decision::PredicateId predicate);
    void sort_touched();
    void move(std::uint32_t group, std::uint32_t to);

    std::vector<const decision::Identity*> identities_;
    std::vector<std::vector<Member>> members_;           ///< by predicate
    std::vector<std::vector<std::uint32_t>> with_ports_; ///< by predicate: sets with ports
    std::vector<std::uint32_t> class_of_;                ///< by group, while refining
    std::vector<std::uint32_t> touched_;
    std::vector<std::uint32_t> next_; ///< by class and truth, all 0 but while refining
    std::uint32_t count_ = 1;
};

/// Up to two groups of each class of `partition`, the first ones; `groups`: how many there are.
std::vector<std::vector<std::uint32_t>> examples_of(const GroupClasses::Partition& partition,
                                                    std::size_t groups);

/// What of an identity a few predicates see. `predicates` sorted.
decision::Identity restricted(const decision::Identity& identity,
                              const std::vector<decision::PredicateId>& predicates);

} // namespace polecat::analyzer
