/// That a mistake which was put in is one, by eval and not by lint.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ir/decision/lowered.h"

namespace polecat::testing {

using Lines = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

/// No flow between endpoints, or from or to outside, is decided by rule `number` of the policy in
/// `here`.
bool never_decides(const decision::LoweredCluster& cluster, const Lines& here,
                   const std::string& direction, std::size_t number);

/// `text`: allow or deny, source, destination ("shop/web", a host endpoint's name or an address),
/// protocol, port.
bool holds(const decision::LoweredCluster& cluster, const std::string& text,
           const std::string& family);

} // namespace polecat::testing
