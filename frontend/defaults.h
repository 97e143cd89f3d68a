/// What Calico's API server fills into objects before it stores them: api/pkg/defaults for
/// policies, the `default`s of the CRD schemas for all kinds. A value that is there stays.
#pragma once

#include <string_view>

#include "frontend/yaml/node.h"

namespace polecat::frontend {

/// `types` of a policy that gives none.
struct DefaultTypes {
    bool ingress = true, egress = false;
};
DefaultTypes default_types(bool has_ingress_rules, bool has_egress_rules);

/// Fills in the defaults of a projectcalico.org/v3 object. What is added has no place in a file.
void apply_defaults(yaml::Node& object, std::string_view kind);

} // namespace polecat::frontend
