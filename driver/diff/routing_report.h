/// What `polecat diff` says about routing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyzer/routing/diff/routing_diff.h"
#include "driver/routing/routed_input.h"

namespace polecat::driver {

struct RoutingReport {
    RoutedInput base, head;
    routing::RoutingDiff diff;
};

/// nullopt: no BGP objects in either version.
std::optional<RoutingReport> routing_report(Input& base, Input& head);

/// One change: a sign, what it is about, what happens, and the lines that say so.
struct RoutingEntry {
    char sign = '~';
    std::string kind, about, what;
    std::vector<std::string> lines; ///< "before: BGPPeer tor (old/bgp.yaml:3:1)"
};
std::vector<RoutingEntry> routing_entries(const RoutingReport& report);

/// "2 sessions changed, 1 prefix withdrawn".
std::string routing_summary(const RoutingReport& report);
/// What was not compared, and what is taken for granted.
std::vector<std::string> routing_notes(const RoutingReport& report);

} // namespace polecat::driver
