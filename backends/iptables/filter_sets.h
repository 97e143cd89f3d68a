/// The addresses of which each predicate of a cluster holds. For backends/iptables/build.cpp.
#pragma once

#include <vector>

#include "artefact/iptables/ruleset.h"
#include "backends/node/identity_numbers.h"

namespace polecat::iptables {

/// Of a set of type Nets, which holds no /0.
std::vector<iptables::Member> members_of(const net::AddressSet& addresses, net::Family family);

class FilterSets {
  public:
    FilterSets(const decision::LoweredCluster& cluster, const backends::IdentityNumbers& numbers);

    bool is_pair(decision::PredicateId id) const { return is_pair_[id.value]; }
    std::string name(decision::PredicateId id, net::Family family) const;
    iptables::Set set(decision::PredicateId id, net::Family family) const;

  private:
    void add(const decision::Identity& identity, const net::Range& range);

    const decision::LoweredCluster& cluster_;
    std::vector<bool> is_pair_;
    /// By predicate, both families.
    std::vector<std::vector<net::Range>> ranges_;
    std::vector<std::vector<iptables::Member>> members_;
};

} // namespace polecat::iptables
