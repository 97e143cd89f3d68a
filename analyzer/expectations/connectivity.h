/// The `connectivity` part of an expectation file: a complete map over endpoints. For
/// analyzer/expectations/check.cpp.
#pragma once

#include <vector>

#include "analyzer/expectations/check.h"

namespace polecat::analyzer {

void judge_connectivity(const expectation::Connectivity& wanted,
                        const decision::LoweredCluster& cluster, std::vector<CaseResult>& results);

} // namespace polecat::analyzer
