/// Questions about configurations of policies, counted the way network-config-analyzer does:
/// docs/conformance.md says what each counts. Answered from our own sets of flows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/conformance/runner/configuration.h"

namespace polecat::conformance {

struct QueryAnswer {
    std::size_t count = 0;
    std::string details; ///< what was counted, for people: "shop/web ingress[0] is redundant; ..."
};

/// nullopt: no question of that name is known, or some flow is not decided.
std::optional<QueryAnswer> answer_query(const std::string& query,
                                        const std::vector<Configuration>& configurations);

} // namespace polecat::conformance
