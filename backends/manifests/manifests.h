/// Objects as manifests again: YAML that the loader reads back to the same thing. What
/// `polecat compile --emit policy-ir` prints, and how suggested rules are shown.
#pragma once

#include <string>

#include "ir/policy/cluster.h"

namespace polecat::backends {

/// Every object that was read, as documents. Fields that polecat doesn't read are not there.
std::string to_yaml(const policy::Cluster& cluster);
std::string to_yaml(const policy::Policy& policy);
std::string to_yaml(const policy::KubernetesNetworkPolicy& policy);
/// One rule as an item of `ingress` or `egress`.
std::string to_yaml(const policy::Rule& rule);

} // namespace polecat::backends
