/// A program as the ends of a cluster meet it, at whichever hook: its own end and the others as far
/// as it tells them apart, whichever is the source. What the map, sides, side flows, open questions
/// and rules of lint ask. The program of an end of flows (EndGroup) has all hooks that they meet
/// there in one (LoweredCluster::find_at_end).
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyzer/ends/end_groups.h"
#include "analyzer/flows/stored_flows.h"

namespace polecat::analyzer {

/// `Flows`: ProgramFlows or StoredFlows.
template <class Flows> class ProgramView {
  public:
    /// The program and the ends must outlive this.
    ProgramView(const decision::Program& program, Flows flows, EndGroups& ends)
        : egress_(program.direction == decision::Direction::Egress), program_(program),
          flows_(std::move(flows)), own_predicates_(predicates_of(program, egress_)), ends_(ends) {}

    const decision::Program& program() const { return program_; }
    Flows& flows() { return flows_; }

    /// What it sees of an end whose policy it is.
    decision::Identity own(const decision::Identity& end) const {
        return restricted(end, own_predicates_);
    }
    /// A number for all groups that it sees alike as its own end.
    std::uint32_t own_class_of(std::uint32_t group) {
        const auto [place, added] = own_class_of_.try_emplace(group, 0);
        if (added) {
            const auto next = static_cast<std::uint32_t>(own_classes_.size());
            place->second =
                own_classes_.try_emplace(own(ends_.identity(group)), next).first->second;
        }
        return place->second;
    }

    /// What it asks of its other ends; sorted.
    const std::vector<decision::PredicateId>& asks_of_others() {
        if (!other_predicates_)
            other_predicates_ = predicates_of(program_, !egress_);
        return *other_predicates_;
    }
    /// What it sees of another end.
    decision::Identity other(const decision::Identity& end) {
        return restricted(end, asks_of_others());
    }
    /// How it sees all groups as its other end.
    const GroupClasses::Partition& others() {
        if (!others_)
            others_ = ends_.others_of(program_);
        return *others_;
    }
    /// The class of a group there.
    std::uint32_t class_of(std::uint32_t group) {
        const auto& groups = others().groups;
        const auto place = std::lower_bound(
            groups.begin(), groups.end(), group,
            [](const auto& each, std::uint32_t wanted) { return each.first < wanted; });
        return place != groups.end() && place->first == group ? place->second : 0;
    }

    /// What it allows between an own end and another: Bounds.
    auto between(const decision::Identity& own, const decision::Identity& other) {
        return egress_ ? flows_.between(own, other) : flows_.between(other, own);
    }
    /// The same of a class of others.
    auto between(const decision::Identity& own, std::uint32_t other_class) {
        return between(own, others().classes[other_class]);
    }

  private:
    bool egress_;
    const decision::Program& program_;
    Flows flows_;
    std::vector<decision::PredicateId> own_predicates_;
    EndGroups& ends_;
    std::map<decision::Identity, std::uint32_t> own_classes_;
    std::unordered_map<std::uint32_t, std::uint32_t> own_class_of_; ///< by group
    /// Once they are asked for.
    std::optional<std::vector<decision::PredicateId>> other_predicates_;
    std::optional<GroupClasses::Partition> others_;
};

/// Views of a cluster's programs by numbers of sets.
class StoredViews {
  public:
    /// All must outlive this.
    StoredViews(const decision::LoweredCluster& cluster, MatchSets& sets, EndGroups& ends)
        : cluster_(cluster), sets_(sets), ends_(ends) {}

    /// Good until that of another program is asked for: ends that run one mostly stand together.
    ProgramView<StoredFlows>& of(decision::ProgramId id) {
        if (!last_ || *last_ != id) {
            const decision::Program& program = cluster_.program(id);
            view_.emplace(program, StoredFlows(program, sets_), ends_);
            last_ = id;
        }
        return *view_;
    }

  private:
    const decision::LoweredCluster& cluster_;
    MatchSets& sets_;
    EndGroups& ends_;
    std::optional<decision::ProgramId> last_;
    std::optional<ProgramView<StoredFlows>> view_;
};

/// Before the last hook, a rule that allows says more than the end that lets a packet go on: it
/// spares it the policy that follows, or the host's own rules for forwarded packets. The program by
/// which only rules allow; nullopt: at the last hook both mean the same.
std::optional<decision::Program> accepting_only(const decision::Program& program);

} // namespace polecat::analyzer
