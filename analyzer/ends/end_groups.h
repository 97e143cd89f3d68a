/// The ends of flows of a cluster in one IP family, grouped as far as no program tells them apart,
/// and what each program sees of them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analyzer/ends/group_classes.h"
#include "ir/decision/identity.h"
#include "ir/decision/lowered.h"

namespace polecat::analyzer {

/// Endpoints, or outside addresses.
struct EndGroup {
    std::vector<decision::ObjectId> objects; ///< ascending
    net::AddressSet outside;
    decision::IdentityId identity;
    /// Programs at the normal hook; absent: this end has no say, or (unsure) it is not known which.
    std::optional<decision::ProgramId> egress, ingress;
    bool unsure = false; ///< a pod with hostNetwork: ir/path/host_network.h

    bool is_outside() const { return objects.empty(); }
    std::optional<decision::ProgramId> program(decision::Direction direction) const {
        return direction == decision::Direction::Egress ? egress : ingress;
    }
};

/// In which order groups are numbered; endpoints come first in both.
enum class GroupOrder {
    AsDeclared,  ///< by first endpoint; outside ranges by identity
    ByMembership ///< what the widest predicates select stands together: sets are few ranges
};

struct GroupOptions {
    GroupOrder order = GroupOrder::AsDeclared;
    /// Pods with hostNetwork are governed by the host endpoints of their node. Otherwise by
    /// nothing: for questions about endpoints' own policy.
    bool by_node = true;
};

class EndGroups {
  public:
    /// Both must outlive this.
    EndGroups(const decision::LoweredCluster& cluster, const decision::Identities& identities,
              net::Family family, const GroupOptions& options = {});

    const std::vector<EndGroup>& list() const { return groups_; } ///< endpoints first
    net::Family family() const { return family_; }
    const decision::Identity& identity(std::uint32_t group) const {
        return identities_[groups_[group].identity];
    }
    /// The group of an endpoint; nullopt: it has no address of the family.
    std::optional<std::uint32_t> group_of(decision::ObjectId object) const {
        return group_of_[object.value];
    }
    /// What cuts them into classes (analyzer/flows/program_view for a program). Not thread-safe.
    GroupClasses& classes() { return *classes_; }

    /// A group that has a predicate, or may.
    std::optional<std::uint32_t> example_of(decision::PredicateId predicate) const {
        return classes_->example_of(predicate);
    }
    /// Whether it is known of every group what a program asks of it.
    bool all_known(const decision::Program& program) const;

  private:
    void add_endpoints(const decision::LoweredCluster& cluster, bool by_node);
    void sort_by_membership(std::size_t predicates);

    const decision::Identities& identities_;
    net::Family family_;
    std::vector<EndGroup> groups_;
    std::vector<std::optional<std::uint32_t>> group_of_; ///< by object
    std::optional<GroupClasses> classes_;
};

} // namespace polecat::analyzer
