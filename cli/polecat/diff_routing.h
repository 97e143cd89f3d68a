/// What `polecat diff` says about routing.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "analyzer/routing/routing_diff.h"
#include "cli/common/input.h"

namespace polecat::cli {

struct RoutingReport {
    const Input& base;
    const Input& head;
    analyzer::RoutingDiff diff;
};

/// nullopt: no BGP objects in either version.
std::optional<RoutingReport> routing_report(const Input& base, const Input& head);

std::string routing_text(const RoutingReport& report);
std::string routing_markdown(const RoutingReport& report);
nlohmann::json routing_json(const RoutingReport& report);

} // namespace polecat::cli
