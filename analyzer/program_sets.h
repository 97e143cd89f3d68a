/// What a program lets through between two identities, as exact sets: eval() for every protocol,
/// port and ICMP type at once.
#pragma once

#include <memory>
#include <vector>

#include "analyzer/connections.h"
#include "ir/decision/identity.h"
#include "ir/decision/lowered.h"

namespace polecat::analyzer {

/// `allow`: certainly allowed. `may`: allowed or not known (depends); contains `allow`.
/// HTTP rules are "not known": a connection's requests are not told apart here.
struct FlowSets {
    ConnectionSet allow, may;
    bool operator==(const FlowSets&) const = default;
};

FlowSets flows_of(const decision::Program& program, const decision::Identity& source,
                  const decision::Identity& destination);

} // namespace polecat::analyzer
