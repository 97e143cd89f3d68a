/// The routing form as suite `bird` writes it down, and its routes: JSON as text.
#pragma once

#include <string>

#include "ir/routing/eval.h"

namespace polecat::conformance {

/// What expect.json has for a family, but for passwords, which are references here, and filters:
/// those that sessions name.
std::string family_json(const routing::NodeRouting& node, net::Family family);

routing::Route route_from(const std::string& route);
/// What routes.json has for a result. `list`: export, import or kernel.
std::string result_json(const routing::Route& before, const routing::RouteVerdict& result,
                        const std::string& list);

} // namespace polecat::conformance
