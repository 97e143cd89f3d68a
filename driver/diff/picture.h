/// What a change opens and closes as a graph; flows that stay as they are are not in it.
#pragma once

#include "backends/graph/graph.h"
#include "driver/diff/report.h"
#include "ir/decision/lowered.h"

namespace polecat::driver {

/// A box is endpoints of one namespace that neither version tells apart; a whole namespace where
/// those are more than 200. Nothing is left out.
backends::Graph diff_picture(const DiffReport& report, const decision::LoweredCluster& head);

} // namespace polecat::driver
