/// What `polecat diff` says about routing.
#pragma once

#include <optional>
#include <string>

#include "analyzer/routing/diff/routing_diff.h"
#include "driver/routing/routed_input.h"

namespace polecat::cli {

struct RoutingReport {
    driver::RoutedInput base, head;
    routing::RoutingDiff diff;
};

/// nullopt: no BGP objects in either version.
std::optional<RoutingReport> routing_report(driver::Input& base, driver::Input& head);

std::string routing_text(const RoutingReport& report);
std::string routing_markdown(const RoutingReport& report);
std::string routing_json(const RoutingReport& report); ///< an object

} // namespace polecat::cli
