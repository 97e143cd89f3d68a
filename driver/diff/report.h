/// What `polecat diff` finds: flows, policies and routing of two versions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyzer/z3/versions.h"
#include "driver/diff/routing_report.h"
#include "driver/diff/rows.h"
#include "driver/input/input.h"
#include "ir/policy/order.h"

namespace polecat::driver {

/// Policies by name: "NetworkPolicy shop/db".
struct PolicyChanges {
    std::vector<std::string> added, gone, changed;
};

struct DiffReport {
    const Input& base;
    const Input& head;
    const analyzer::Diff& diff;
    std::vector<DiffRow> rows;
    PolicyChanges policies;
    std::optional<smt::DiffProof> proof; ///< with --prove
    std::vector<std::string> unread;     ///< what was not read, a line each
    std::optional<RoutingReport> routing;
    /// Policies whose change no row shows, though it may matter to what is not in the input.
    std::vector<std::string> unseen = {};
};

PolicyChanges policy_changes(const policy::OrderedPolicies& base,
                             const policy::OrderedPolicies& head);

std::string counts_of(const DiffReport& report); ///< "2 opened, 1 closed"

/// Policies and endpoints that were added, changed or are gone, one kind a line.
std::string lists_of(const DiffReport& report, const char* prefix);

} // namespace polecat::driver
