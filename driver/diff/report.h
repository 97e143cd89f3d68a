/// What `polecat diff` finds: flows, policies and routing of two versions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyzer/z3/versions.h"
#include "driver/diff/routing_report.h"
#include "driver/diff/rows.h"
#include "driver/session.h"
#include "ir/policy/order.h"

namespace polecat::driver {

/// Policies by name: "NetworkPolicy shop/db".
struct PolicyChanges {
    std::vector<std::string> added, gone, changed;
};

struct DiffReport {
    Session& base;
    Session& head;
    analyzer::Diff diff;
    std::vector<DiffRow> rows;
    PolicyChanges policies;
    std::optional<smt::DiffProof> proof; ///< with --prove
    std::vector<std::string> unread;     ///< what was not read, a line each
    std::optional<RoutingReport> routing;
    /// Policies whose change no row shows, though it may matter to what is not in the input.
    std::vector<std::string> unseen = {};
};

struct DiffOptions {
    bool staged = false;    ///< `head` has the staged policies enforced
    bool prove = false;     ///< have Z3 confirm it
    std::string smt_folder; ///< where its queries are written; empty: nowhere
};

/// Both must outlive what is returned. They may be of one input.
DiffReport diff_report(Session& base, Session& head, const DiffOptions& options);

PolicyChanges policy_changes(const policy::OrderedPolicies& base,
                             const policy::OrderedPolicies& head);

std::string counts_of(const DiffReport& report); ///< "2 opened, 1 closed"

/// Policies and endpoints that were added, changed or are gone, one kind a line.
std::string lists_of(const DiffReport& report, const char* prefix);

} // namespace polecat::driver
