/// What `polecat diff` says about routing, in words.
#pragma once

#include <string>

#include "driver/diff/routing_report.h"

namespace polecat::cli {

std::string routing_text(const driver::RoutingReport& report);
std::string routing_markdown(const driver::RoutingReport& report);
std::string routing_json(const driver::RoutingReport& report); ///< an object

} // namespace polecat::cli
