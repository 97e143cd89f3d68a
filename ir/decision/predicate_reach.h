/// What each predicate of a cluster holds of: objects by their labels, and addresses. For
/// ir/decision/identity.cpp.
#pragma once

#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ir/decision/identity.h"

namespace polecat::decision {

struct PredicateReach {
    explicit PredicateReach(const LoweredCluster& cluster);

    /// Adds what holds of an endpoint whose address is not known, as far as addresses decide.
    void add_unplaced(Identity& identity) const;

    std::vector<bool> is_port_set;
    std::vector<PredicateId> in_doubt; ///< not known of an end of which they do not hold; ascending
    /// Addresses of which a predicate holds, whatever is there.
    std::vector<std::pair<PredicateId, net::AddressSet>> regions;
    std::vector<std::vector<PredicateId>> by_object; ///< by object id; unsorted
    std::map<ObjectId, std::vector<PortMember>> ports_by_object;
    std::map<net::Address, std::vector<PortMember>> address_members;

  private:
    void add(PredicateId id, const ObjectSet& set);
    void add(PredicateId id, const NetSet& set);
    void add(PredicateId id, const ServiceSet& set);
    void add(PredicateId id, const NamedPortSet& set);
    void add(PredicateId id, const DomainSet& set);
    void add(PredicateId id, const UnreadSet& set);
    std::vector<ObjectId> selected(const selector::Selector& selector) const;

    const LoweredCluster& cluster_;
    struct Index;
    std::shared_ptr<const Index> index_;
    std::vector<ObjectId> unread_sets_;
};

} // namespace polecat::decision
