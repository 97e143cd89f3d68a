/// Lowering: policy::Cluster -> decision::LoweredCluster. Kubernetes and ClusterNetworkPolicy
/// conversion, tiers and order, staged policies, profiles, host endpoint hooks, selector
/// composition, named ports, services. Pure; reports what cannot be lowered.
#pragma once

#include "ir/decision/lowered.h"
#include "ir/decision/policy_rules.h"
#include "ir/policy/cluster.h"
#include "ir/policy/order.h"
#include "support/diag/diagnostic.h"

namespace polecat::passes {

struct LowerOptions {
    decision::UnknownAddress unknown_address = decision::UnknownAddress::Depends;
    /// Set: programs are made for this node's endpoints only. Endpoints elsewhere then have no
    /// programs, so nothing may be asked about them, and identities are this node's alone.
    std::string only_node;
};

decision::LoweredCluster lower(const policy::Cluster& cluster, diag::Diagnostics& diagnostics,
                               const LowerOptions& options = {});
/// The same by order_policies(cluster), for who needs those as well.
decision::LoweredCluster lower(const policy::Cluster& cluster,
                               const policy::OrderedPolicies& policies,
                               diag::Diagnostics& diagnostics, const LowerOptions& options = {});

/// All policies in the order of evaluation: what lowering goes by, for questions about policies
/// themselves. Points into `cluster`.
policy::OrderedPolicies order_policies(const policy::Cluster& cluster);

/// The rules of every policy, those of policies without endpoints included. Empty where network
/// sets have domains. Points into `policies` and `cluster`.
decision::PolicyRules lower_policies(const policy::Cluster& cluster,
                                     const policy::OrderedPolicies& policies);

} // namespace polecat::passes
