/// Whether two objects say the same: of objects that stand twice.
#pragma once

#include <string_view>

#include "frontend/yaml/node.h"

namespace polecat::frontend {

/// But for what the API server writes into them.
bool say_the_same(const yaml::Node& a, const yaml::Node& b);

/// In all that answers hang on: images, replicas and the like may differ. Two objects of this kind.
bool say_the_same_of_policy(const yaml::Node& a, const yaml::Node& b, std::string_view kind);

} // namespace polecat::frontend
