/// Failsafe ports: what Calico lets in and out of a host whatever policy says.
/// Source: felix/config/config_params.go.
#pragma once

#include <vector>

#include "ir/policy/objects.h"

namespace polecat::policy {

/// Those given, or Calico's own.
const std::vector<FelixSettings::FailsafePort>& failsafe_ports(const FelixSettings& felix,
                                                               Direction direction);

} // namespace polecat::policy
