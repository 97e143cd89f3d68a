/// What a change opens and closes as a graph; flows that stay as they are are not in it.
#pragma once

#include "backends/graph/graph.h"
#include "cli/polecat/diff/print.h"
#include "ir/decision/lowered.h"

namespace polecat::cli {

/// A box is endpoints of one namespace that neither version tells apart; a whole namespace where
/// those are more than 200. Nothing is left out.
backends::Graph diff_picture(const DiffReport& report, const decision::LoweredCluster& head);

} // namespace polecat::cli
