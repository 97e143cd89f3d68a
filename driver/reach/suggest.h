/// The nearest change that would allow a flow that is denied, or is on some way or for all one
/// knows: rules added to the policies that deny it, each for that peer and port only, checked by
/// eval before they are shown.
#pragma once

#include <string>
#include <vector>

#include "ir/path/path.h"
#include "ir/policy/cluster.h"
#include "passes/lower.h"
#include "support/source.h"

namespace polecat::driver {

struct Edit {
    std::string policy; ///< "NetworkPolicy shop/db"
    Span span;          ///< of the policy
    std::string where;  ///< "spec.ingress, before rule 2"
    std::string rule;   ///< YAML of one list entry
};

struct Suggestion {
    std::vector<Edit> edits;        ///< empty: there is none
    std::string why;                ///< there is none
    std::vector<std::string> opens; ///< all flows that the edits open
};

Suggestion suggest(const policy::Cluster& manifests, const decision::LoweredCluster& cluster,
                   const passes::LowerOptions& options, const ir::PathQuery& query);

} // namespace polecat::driver
