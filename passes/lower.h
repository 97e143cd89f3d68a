/// Lowering: policy::Cluster -> decision::LoweredCluster. Kubernetes and ClusterNetworkPolicy
/// conversion, tiers and order, staged policies, profiles, host endpoint hooks, selector
/// composition, named ports, services. Pure; reports what cannot be lowered.
#pragma once

#include "ir/decision/lowered.h"
#include "ir/policy/cluster.h"
#include "support/diag/diagnostic.h"

namespace polecat::passes {

struct LowerOptions {
    decision::UnknownAddress unknown_address = decision::UnknownAddress::Depends;
};

decision::LoweredCluster lower(const policy::Cluster& cluster, diag::Diagnostics& diagnostics,
                               const LowerOptions& options = {});

} // namespace polecat::passes
