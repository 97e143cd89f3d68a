/// `--prove` and `--emit-smt2` of `polecat lint` and `polecat diff`.
#pragma once

#include <string>

#include "analyzer/lint/context.h"
#include "analyzer/z3/versions.h"

namespace polecat::driver {

/// With them, lint's findings say whether Z3 proved them. Tells on standard error how many it did.
/// `folder`: where to write the queries; empty: nowhere. `jobs`: threads.
void add_proofs(const policy::Cluster& cluster, const policy::OrderedPolicies& policies,
                const decision::LoweredCluster& lowered, const std::string& folder, unsigned jobs,
                lint::Settings& settings);

/// What Z3 says of a diff of these two, made with its programs. `folder`: as above.
smt::DiffProof prove_diff(const decision::LoweredCluster& base,
                          const decision::LoweredCluster& head, const analyzer::Diff& diff,
                          const std::string& folder);

} // namespace polecat::driver
