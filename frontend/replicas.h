/// StatefulSets whose pods policies tell apart.
#pragma once

#include <vector>

#include "frontend/discover.h"
#include "ir/policy/cluster.h"

namespace polecat::frontend {

/// The pods of a StatefulSet differ in the labels that say which one it is. Where a file speaks of
/// these labels, each replica becomes a pod of its own; else one workload stands for all of them.
void tell_replicas_apart(const std::vector<File>& files, policy::Cluster& cluster);

} // namespace polecat::frontend
