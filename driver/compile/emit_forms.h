/// The forms of meaning as text, for `polecat compile --emit`.
#pragma once

#include <string>

#include "ir/decision/lowered.h"
#include "ir/policy/cluster.h"

namespace polecat::driver {

/// form: policy-ir, program or table.
std::string emit_form(const std::string& form, const policy::Cluster& policy,
                      const decision::LoweredCluster& cluster);

} // namespace polecat::driver
