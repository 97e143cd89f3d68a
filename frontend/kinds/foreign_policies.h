/// Policies of other systems, which stand beside those that polecat reads and say more.
#pragma once

#include <string>
#include <string_view>

#include "frontend/yaml/node.h"
#include "ir/policy/cluster.h"
#include "support/diag/diagnostic.h"

namespace polecat::frontend {

/// A kind by which another system lets traffic through or keeps it out, or a kind of Calico's group
/// that polecat does not know.
bool is_foreign_policy(std::string_view group, std::string_view kind, const yaml::Node& root);

/// Counts it.
void note_foreign_policy(const yaml::Node& root, const std::string& api_version,
                         const std::string& kind, policy::Cluster& cluster);

/// One warning for each kind that was counted.
void report_foreign_policies(const policy::Cluster& cluster, diag::Diagnostics& diagnostics);

} // namespace polecat::frontend
