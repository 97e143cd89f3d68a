/// The other side of what a policy lets through. For analyzer/lint only.
#pragma once

#include <string>

#include "analyzer/lint/context.h"

namespace polecat::lint {

/// Why nothing passes a policy that lets something through: all whom it names are isolated in the
/// other direction, by these policies. Empty: something else is the reason.
std::string isolation_of_peers(Context& context, const policy::Policy& policy);

} // namespace polecat::lint
