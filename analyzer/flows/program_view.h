/// A program as the ends of a cluster meet it, at whichever hook: its own end and the others as far
/// as it tells them apart, whichever is the source. What the map, sides, side flows, open
/// questions, effects and rules of lint ask. The program of an end of flows (EndGroup) has all
/// hooks that they meet there in one (LoweredCluster::find_at_end).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyzer/ends/end_groups.h"
#include "analyzer/flows/stored_flows.h"

namespace polecat::analyzer {

/// How a program sees ends. What is said of all groups is made once it is asked for.
class ProgramEnds {
  public:
    /// Both must outlive this.
    ProgramEnds(const decision::Program& program, EndGroups& ends)
        : egress_(program.direction == decision::Direction::Egress), program_(program),
          ends_(ends) {}

    const decision::Program& program() const { return program_; }
    /// Source and destination.
    template <class T> std::pair<const T&, const T&> in_order(const T& own, const T& other) const {
        return egress_ ? std::pair<const T&, const T&>(own, other)
                       : std::pair<const T&, const T&>(other, own);
    }

    /// What it sees of an end whose policy it is.
    decision::Identity own(const decision::Identity& end) { return restricted(end, asks_of_own()); }
    /// A number for all groups that it sees alike as its own end.
    std::uint32_t own_class_of(std::uint32_t group);
    /// Groups as it tells them apart as its own end, sorted by what it sees: all, or these only.
    std::vector<GroupClass> own_classes();
    std::vector<GroupClass> own_classes(const std::set<std::uint32_t>& groups);

    /// What it asks of its other ends; sorted.
    const std::vector<decision::PredicateId>& asks_of_others();
    /// What it sees of another end.
    decision::Identity other(const decision::Identity& end) {
        return restricted(end, asks_of_others());
    }
    /// How it sees all groups as its other end.
    const GroupClasses::Partition& others();
    /// The class of a group there.
    std::uint32_t class_of(std::uint32_t group);
    /// The classes that have groups.
    const std::vector<GroupClass>& other_classes();
    /// Those only of which one of `wanted`, of what it asks of them, holds or may.
    std::vector<GroupClass> other_classes(const std::vector<decision::PredicateId>& wanted);

  private:
    const std::vector<decision::PredicateId>& asks_of_own();

    bool egress_;
    const decision::Program& program_;
    EndGroups& ends_;
    std::map<decision::Identity, std::uint32_t> own_numbers_;
    std::unordered_map<std::uint32_t, std::uint32_t> own_class_of_; ///< by group
    std::optional<std::vector<decision::PredicateId>> own_predicates_, other_predicates_;
    std::optional<GroupClasses::Partition> others_;
    std::optional<std::vector<GroupClass>> other_classes_;
};

/// The same with what it lets through. `Flows`: ProgramFlows or StoredFlows.
template <class Flows> class ProgramView : public ProgramEnds {
  public:
    /// The program and the ends must outlive this.
    ProgramView(const decision::Program& program, Flows flows, EndGroups& ends)
        : ProgramEnds(program, ends), flows_(std::move(flows)) {}

    Flows& flows() { return flows_; }

    /// What it allows between an own end and another: Bounds.
    auto between(const decision::Identity& own, const decision::Identity& other) {
        const auto [source, destination] = in_order(own, other);
        return flows_.between(source, destination);
    }
    /// The same of a class of others.
    auto between(const decision::Identity& own, std::uint32_t other_class) {
        return between(own, others().classes[other_class]);
    }

  private:
    Flows flows_;
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
