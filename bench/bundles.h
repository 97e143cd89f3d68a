/// What a bundle costs who compiles it, and a node that opens it.
#pragma once

#include <string>

#include "ir/policy/cluster.h"

namespace polecat::bench {

/// From the cluster to parts; to files in `folder` where one is named.
void bundle_of(const std::string& name, const policy::Cluster& cluster,
               const std::string& folder = {});
/// The same once more after changes of single pods and policies, in a cluster that stays loaded.
void bundle_again(const std::string& name, policy::Cluster cluster);
/// Opens what lies in the folder and flattens what the node runs.
void node_of_bundle(const std::string& name, const std::string& folder, const std::string& node);

} // namespace polecat::bench
