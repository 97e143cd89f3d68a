/// The cluster as it would be once its staged policies are enforced: each takes the place of the
/// policy of its name, or that policy goes (stagedAction Delete). "Learn" and "Ignore" change
/// nothing. Source: StagedNetworkPolicy in Calico's API.
#pragma once

#include "ir/policy/cluster.h"

namespace polecat::passes {

policy::Cluster enforce_staged(const policy::Cluster& cluster);

} // namespace polecat::passes
