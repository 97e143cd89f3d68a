/// `polecat lint --prove` and `--emit-smt2`.
#pragma once

#include <string>

#include "analyzer/lint/context.h"

namespace polecat::cli {

/// Settings with which lint's findings say whether Z3 proved them. Tells on standard error how many
/// it did. `folder`: where to write the queries; empty: nowhere.
lint::Settings settings_with_proofs(const policy::Cluster& cluster,
                                    const policy::OrderedPolicies& policies,
                                    const decision::LoweredCluster& lowered,
                                    const std::string& folder);

} // namespace polecat::cli
