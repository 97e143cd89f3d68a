/// The report's page about BGP.
#pragma once

#include <string>

#include "driver/report/report.h"

namespace polecat::cli {

/// Picture, faults and sessions as HTML.
std::string bgp_section(const driver::BgpReport& bgp);

} // namespace polecat::cli
