/// Policies that speak of nodes where no host endpoint stands for one. For analyzer/lint only.
#pragma once

#include <string>
#include <vector>

#include "analyzer/lint/context.h"

namespace polecat::lint {

/// What a global policy of a cluster without host endpoints means by labels that nodes have and
/// nothing else that it could govern, or because it is for hosts only. Empty: that is not so.
std::vector<std::string> nodes_meant(Context& context, const policy::Policy& policy);

} // namespace polecat::lint
