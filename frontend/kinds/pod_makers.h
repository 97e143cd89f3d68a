/// Kinds that polecat does not read and that pods come of: the custom resources of operators.
#pragma once

#include <string>
#include <string_view>

#include "frontend/yaml/node.h"
#include "ir/policy/cluster.h"

namespace polecat::frontend {

/// Whether a controller makes pods of an object of this kind: it is known to, or the object holds
/// containers, or says how many pods there are to be.
bool makes_pods(std::string_view group, std::string_view kind, const yaml::Node& root);

/// Notes that the pods of the object's namespace are not all in the input.
void note_unread_pods(const yaml::Node& root, const std::string& kind, policy::Cluster& cluster);

} // namespace polecat::frontend
