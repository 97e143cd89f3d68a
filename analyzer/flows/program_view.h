/// A program as the ends of a cluster meet it: its own end and the classes of others that it tells
/// apart, whichever the source is. What the map, sides and side flows ask.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "analyzer/ends/end_groups.h"

namespace polecat::analyzer {

/// `Flows`: ProgramFlows or StoredFlows.
template <class Flows> class ProgramView {
  public:
    /// The program must outlive this.
    ProgramView(const decision::Program& program, Flows flows, EndGroups& ends)
        : egress_(program.direction == decision::Direction::Egress), flows_(std::move(flows)),
          own_predicates_(predicates_of(program, egress_)), others_(ends.others_of(program)) {}

    /// What it sees of an end whose policy it is.
    decision::Identity own(const decision::Identity& end) const {
        return restricted(end, own_predicates_);
    }
    /// How it sees all groups as its other end.
    const GroupClasses::Partition& others() const { return others_; }
    /// The class of a group there.
    std::uint32_t class_of(std::uint32_t group) const {
        const auto& groups = others_.groups;
        const auto place = std::lower_bound(
            groups.begin(), groups.end(), group,
            [](const auto& each, std::uint32_t wanted) { return each.first < wanted; });
        return place != groups.end() && place->first == group ? place->second : 0;
    }
    /// What it allows between an own end and a class of others: Bounds.
    auto between(const decision::Identity& own, std::uint32_t other_class) {
        const decision::Identity& other = others_.classes[other_class];
        return egress_ ? flows_.between(own, other) : flows_.between(other, own);
    }

  private:
    bool egress_;
    Flows flows_;
    std::vector<decision::PredicateId> own_predicates_;
    GroupClasses::Partition others_;
};

} // namespace polecat::analyzer
