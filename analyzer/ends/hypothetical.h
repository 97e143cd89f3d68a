/// Pods that are not there: what predicates would say of an end with given labels and no known
/// address. For questions about what could be added to a cluster.
#pragma once

#include <string>
#include <vector>

#include "ir/decision/identity.h"
#include "ir/decision/lowered.h"

namespace polecat::analyzer {

class Hypothetical {
  public:
    explicit Hypothetical(const decision::LoweredCluster& cluster);

    /// A pod with these labels of its own in that namespace, as Calico would know it: with the
    /// labels of its namespace where that exists. Returns its number.
    std::size_t add_pod(const std::string& space, const selector::Labels& labels,
                        std::vector<policy::EndpointPort> ports = {});
    /// What these predicates see of it; sorted.
    decision::Identity identity(std::size_t pod, net::Family family,
                                const std::vector<decision::PredicateId>& predicates) const;

  private:
    const decision::LoweredCluster& cluster_;
    decision::World world_; ///< the cluster's, and the pods behind it
    std::size_t first_ = 0;
};

} // namespace polecat::analyzer
