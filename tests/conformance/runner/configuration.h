/// One configuration of a question about policies: a cluster, and the same with a policy or a rule
/// less. For the judge of queries (queries.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/decision/lowered.h"
#include "ir/policy/cluster.h"
#include "ir/policy/order.h"

namespace polecat::conformance {

/// A Kubernetes NetworkPolicy or a Calico policy of the manifests, staged ones left out.
struct PolicyRef {
    policy::PolicyName name;
    std::size_t index = 0; ///< in Cluster::kubernetes_policies or Cluster::policies
    auto operator<=>(const PolicyRef&) const = default;
    bool is_kubernetes() const { return name.kind == policy::PolicyKind::KubernetesNetworkPolicy; }
};

struct RuleRef {
    policy::Direction direction = policy::Direction::Ingress;
    std::size_t index = 0; ///< in the manifest's list
    auto operator<=>(const RuleRef&) const = default;
};

struct Configuration {
    std::string name;
    policy::Cluster cluster;
    policy::OrderedPolicies policies; ///< points into `cluster`
    decision::LoweredCluster lowered;
};

/// Pods without an address lie in no CIDR.
Configuration configure(std::string name, policy::Cluster cluster);

std::vector<PolicyRef> policies_of(const policy::Cluster& cluster);
std::vector<RuleRef> rules_of(const policy::Cluster& cluster, const PolicyRef& policy);

Configuration without_policies(const Configuration& from);
Configuration without_policy(const Configuration& from, const PolicyRef& policy);
Configuration without_rules(const Configuration& from, const PolicyRef& policy,
                            const std::vector<RuleRef>& rules);
Configuration with_only(const Configuration& from, const PolicyRef& policy);
/// With one policy only, which only allows what the rule matches, in the rule's direction.
Configuration with_rule_alone(const Configuration& from, const PolicyRef& policy,
                              const RuleRef& rule);
policy::Action action_of(const policy::Cluster& cluster, const PolicyRef& policy,
                         const RuleRef& rule);
/// The policies of one in the topology of another: its endpoints, namespaces, sets.
Configuration policies_in(const Configuration& policies, const Configuration& topology);

} // namespace polecat::conformance
