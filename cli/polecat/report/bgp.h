/// The report's page about BGP.
#pragma once

#include <string>

#include "driver/input/input.h"

namespace polecat::cli {

/// Picture, faults and sessions as HTML; empty: the manifests have nothing about BGP, or no node.
std::string bgp_section(driver::Input& input);

} // namespace polecat::cli
