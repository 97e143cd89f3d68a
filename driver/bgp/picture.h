/// The fabric as `polecat bgp sessions --format svg` and `polecat report` draw it.
#pragma once

#include "analyzer/routing/sessions/sessions.h"
#include "backends/graph/fabric.h"
#include "driver/routing/routed_input.h"

namespace polecat::driver {

/// Boxes of one row that a screen shows; more are put together, those with problems last.
inline constexpr std::size_t kMostBoxes = 12;

/// Nodes are a box for each rack (of the inventory, or by the label `rack` or the zone), routers
/// and reflectors stand above them.
backends::FabricPicture fabric_picture(const RoutedInput& routed,
                                       const routing::SessionReport& report);

} // namespace polecat::driver
