/// Cuts the groups of a map into classes that a few predicates can't tell apart, in time
/// proportional to the memberships of those predicates.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
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
    /// The same of those groups only of which one of `wanted`, of `predicates`, holds or may.
    Partition partition(const std::vector<decision::PredicateId>& predicates,
                        const std::vector<decision::PredicateId>& wanted);

    /// The first group of which a predicate holds or may.
    std::optional<std::uint32_t> example_of(decision::PredicateId predicate) const {
        const auto& list = members_[predicate.value].list;
        return list.empty() ? std::nullopt : std::optional(list.front().group);
    }
    /// Of some group it is not known whether the predicate holds.
    bool is_in_doubt(decision::PredicateId predicate) const {
        return members_[predicate.value].kinds > 1;
    }

  private:
    /// A group, and which of the kinds it is of that a predicate tells apart.
    struct Member {
        std::uint32_t group = 0, kind = 0;
    };
    /// The groups that a predicate tells from the rest.
    struct Members {
        std::vector<Member> list;
        std::uint32_t kinds = 0;
        std::vector<std::vector<decision::PortMember>> ports; ///< by kind, of sets with ports
    };
    /// How a class was told from the one that it was cut from.
    struct Cut {
        std::uint32_t from = 0;
        decision::PredicateId predicate;
        std::uint32_t kind = 0;
        bool by_ports = false;
    };
    void add_ports(std::uint32_t group);
    template <class Wanted> Partition cut(const std::vector<decision::PredicateId>&, const Wanted&);
    template <class Wanted>
    void refine(decision::PredicateId predicate, bool by_ports, const Wanted& wanted);
    decision::Identity seen_of(std::uint32_t number) const;
    void sort_touched();
    void move(std::uint32_t group, std::uint32_t to);

    std::vector<const decision::Identity*> identities_;
    std::vector<Members> members_; ///< by predicate: where it holds or may
    std::vector<Members> ports_;   ///< by predicate, of sets with ports: where there are some
    /// By predicate and ports: the kind.
    std::map<std::pair<decision::PredicateId, std::vector<decision::PortMember>>, std::uint32_t>
        kinds_of_ports_;
    std::vector<std::uint32_t> class_of_; ///< by group, while refining
    std::vector<std::uint32_t> touched_;
    std::vector<std::uint32_t> next_; ///< by class and kind, all 0 but while refining
    std::vector<Cut> cuts_;           ///< by class
    std::vector<bool> wanted_;        ///< by group, all false but while refining
};

/// Groups that a few predicates don't tell apart.
struct GroupClass {
    decision::Identity seen;  ///< what the predicates see of each
    std::uint32_t group = 0;  ///< one of them
    std::uint32_t second = 0; ///< another one, where there are two
    std::size_t groups = 0;

    void add(std::uint32_t number) {
        if (groups < 2)
            (groups == 0 ? group : second) = number;
        ++groups;
    }
};
/// The classes of a partition that have groups, in its order, by their first two groups. `all`: how
/// many groups there are, of which those that it doesn't list are of class 0; nullopt: it looked at
/// no others.
std::vector<GroupClass> with_examples(GroupClasses::Partition partition,
                                      std::optional<std::size_t> all);

/// What of an identity a few predicates see. `predicates` sorted.
decision::Identity restricted(const decision::Identity& identity,
                              const std::vector<decision::PredicateId>& predicates);

} // namespace polecat::analyzer
