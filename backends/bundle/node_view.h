/// What a node takes from a bundle: its endpoints, the programs that they run and the predicates
/// that these ask, as a cluster that backends read. The rest of the bundle stays unread.
#pragma once

#include <set>
#include <string>

#include "artefact/bundle/bundle.h"
#include "backends/node/programs.h"
#include "ir/decision/lowered.h"
#include "support/source.h"

namespace polecat::bundle {

struct NodeView {
    Sources sources; ///< paths and places as the compile had them, without the texts
    decision::LoweredCluster cluster;
    backends::IdentityNumbers numbers; ///< with what the cluster's programs ask
    backends::OwnSides own;
};

/// Throws Refused. Of a node that has no endpoint in the bundle: what every node has. Who looks at
/// several takes them together: what they share is then read and made once.
NodeView view_of(const Bundle& bundle, std::set<std::string> nodes);

} // namespace polecat::bundle
