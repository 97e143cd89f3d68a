/// Changes of policies that no row of `polecat diff` names.
#pragma once

#include <string>
#include <vector>

#include "driver/diff/report.h"

namespace polecat::driver {

/// A version, as read and lowered.
struct DiffSide {
    const policy::Cluster& cluster;
    const policy::OrderedPolicies& policies;
    const decision::LoweredCluster& lowered;
};

/// Policies that were added, changed or are gone, that no row of the report names, and whose own
/// endpoints or peers are not all in the input: what they do to the others is not compared. Nor is
/// one meant that came or went and alone isolates an endpoint of which flows change.
std::vector<std::string> unseen_changes(const DiffReport& report, const DiffSide& base,
                                        const DiffSide& head);

} // namespace polecat::driver
