/// Lowering: policy::Cluster -> decision::LoweredCluster. Kubernetes and ClusterNetworkPolicy
/// conversion, tiers and order, staged policies, profiles, host endpoint hooks, selector
/// composition, named ports, services. Pure and total: what could not be read is in the programs,
/// as something of which it is never known whether it holds.
#pragma once

#include "ir/decision/lowered.h"
#include "ir/decision/policy_rules.h"
#include "ir/policy/cluster.h"
#include "ir/policy/order.h"

namespace polecat::passes {

struct LowerOptions {
    decision::UnknownAddress unknown_address = decision::UnknownAddress::Depends;
    /// Set: programs are made for this node's endpoints only. Endpoints elsewhere then have no
    /// programs, so nothing may be asked about them, and identities are this node's alone.
    std::string only_node;
};

struct Lowered {
    policy::OrderedPolicies policies; ///< as order_policies()
    decision::LoweredCluster cluster;
};
Lowered lower(const policy::Cluster& cluster, const LowerOptions& options = {});

/// All policies in the order of evaluation, Kubernetes' as Calico's: what lowering goes by. Points
/// into `cluster`.
policy::OrderedPolicies order_policies(const policy::Cluster& cluster);

/// The rules of every policy, those of policies without endpoints included. Empty where network
/// sets have domains. Points into `policies` and `cluster`.
decision::PolicyRules lower_policies(const policy::Cluster& cluster,
                                     const policy::OrderedPolicies& policies);

} // namespace polecat::passes
