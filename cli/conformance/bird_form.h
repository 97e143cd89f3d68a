/// The routing form as suite `bird` writes it down, and its routes.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "ir/routing/eval.h"

namespace polecat::conformance {

/// What expect.json has for a family, but for passwords, which are references here, and filters:
/// those that sessions name.
nlohmann::json family_json(const routing::NodeRouting& node, net::Family family);

routing::Route route_from(const nlohmann::json& route);
/// What routes.json has for a result.
nlohmann::json result_json(const routing::Route& before, const routing::RouteVerdict& result,
                           const std::string& list);

} // namespace polecat::conformance
