/// Has Z3 confirm what analyzer/diff says of two versions of a cluster, or of its staged
/// policies.
#pragma once

#include "analyzer/diff/diff.h"
#include "analyzer/z3/session.h"

namespace polecat::smt {

struct DiffProof {
    std::size_t equal = 0;     ///< pairs of programs: no flow gets another verdict
    std::size_t different = 0; ///< pairs of programs: a flow does, in eval as well
    std::size_t examples = 0;  ///< changes of which eval says the same of their example
    /// Pairs of programs: the limit of steps was reached, or the diff says "depends" of more than
    /// Z3 does (services with ports whose pods have no known address).
    std::size_t unknown = 0;
};

/// `diff`: of these two, with its programs. Throws Disagreement when something of it is not so.
DiffProof confirm(const decision::LoweredCluster& base, const decision::LoweredCluster& head,
                  const analyzer::Diff& diff, const QueryOptions& options = {});

} // namespace polecat::smt
