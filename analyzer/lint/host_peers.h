/// Rules that mean nodes. For analyzer/lint only.
#pragma once

#include <string>
#include <vector>

#include "analyzer/lint/context.h"

namespace polecat::lint {

/// Nodes that have the labels that the peers ask for, where nothing that policy knows has them:
/// no endpoint and no network set.
std::vector<std::string> nodes_named(Context& context, const selector::Selector& peers);

} // namespace polecat::lint
