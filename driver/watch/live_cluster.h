/// A cluster that stays loaded, and what of it a change has to be lowered with.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ir/policy/cluster.h"

namespace polecat::driver {

/// Objects that come, or take the place of those of their name, and names of those that go.
struct ClusterChange {
    std::vector<policy::Workload> workloads;
    std::vector<policy::Policy> policies; ///< Calico's
    std::vector<policy::KubernetesNetworkPolicy> kubernetes_policies;
    std::set<std::string> gone_workloads; ///< as LiveCluster::key_of
    std::set<policy::PolicyName> gone_policies;
};

class LiveCluster {
  public:
    explicit LiveCluster(policy::Cluster cluster);

    /// "Pod shop/web".
    static std::string key_of(const policy::Workload& workload) {
        return workload.kind + " " + full_name(workload.meta);
    }
    const policy::Cluster& whole() const { return cluster_; }
    const policy::Workload* find(const std::string& key) const;
    bool has(const policy::PolicyName& policy) const { return policies_.contains(policy); }
    /// Two objects have one name: which of them is meant is not known.
    bool has_doubles() const { return doubles_; }

    /// What a change replaces or takes away.
    struct Before {
        std::vector<policy::Workload> workloads;
        policy::Cluster policies; ///< these alone
    };
    Before apply(const ClusterChange& change);

    /// Whether pods that name it as their owner would stand for a workload of the cluster.
    bool stands_for_workload(const policy::Workload& pod) const;
    /// A cluster that has these workloads and of all others what counts for them: programs that
    /// they run are the same there.
    policy::Cluster with_only(const std::set<std::string>& workloads) const;

  private:
    policy::Cluster cluster_;
    policy::Cluster frame_; ///< without workloads, policies and what no program goes by
    std::map<std::string, std::size_t> workloads_;
    std::map<policy::PolicyName, std::size_t> policies_;           ///< in the list of its kind
    std::map<std::string, std::set<policy::PolicyName>> by_space_; ///< policies; "": global ones
    bool doubles_ = false;
};

} // namespace polecat::driver
