/// `polecat lint --prove` and `--emit-smt2`.
#pragma once

#include <string>

#include "analyzer/lint/context.h"

namespace polecat::cli {

/// With them, lint's findings say whether Z3 proved them. Tells on standard error how many it did.
/// `folder`: where to write the queries; empty: nowhere.
void add_proofs(const policy::Cluster& cluster, const policy::OrderedPolicies& policies,
                const decision::LoweredCluster& lowered, const std::string& folder,
                lint::Settings& settings);

} // namespace polecat::cli
