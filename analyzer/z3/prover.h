/// Has Z3 confirm what lint claims of a cluster.
#pragma once

#include <vector>

#include "analyzer/claim.h"
#include "analyzer/z3/questions.h"

namespace polecat::smt {

/// For each claim whether Z3 proved it for every program that it is about; false: a limit was
/// reached. Throws Disagreement when Z3 has a flow that speaks against one.
std::vector<bool> confirm(const decision::LoweredCluster& cluster,
                          const std::vector<analyzer::Claim>& claims,
                          const QueryOptions& options = {});

} // namespace polecat::smt
