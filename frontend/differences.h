/// Whether two objects say the same: of objects that stand twice.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "frontend/yaml/node.h"

namespace polecat::frontend {

/// But for what the API server writes into them.
bool say_the_same(const yaml::Node& a, const yaml::Node& b);

/// In all that answers hang on: images, replicas and the like may differ. Two objects of this kind.
bool say_the_same_of_policy(const yaml::Node& a, const yaml::Node& b, std::string_view kind);

/// Labels of two namespaces or accounts that one of them lacks or gives another value.
std::vector<std::string> differing_labels(const yaml::Node& a, const yaml::Node& b);

/// The policy asks for that label of namespaces or of accounts (`kind`).
bool asks_for_label(const yaml::Node& policy, std::string_view kind, const std::string& label);

} // namespace polecat::frontend
