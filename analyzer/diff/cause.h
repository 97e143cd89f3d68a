/// What is to blame for a changed flow. For analyzer/diff/diff.cpp.
#pragma once

#include <optional>

#include "analyzer/diff/diff.h"

namespace polecat::analyzer {

/// A packet of the set; nullopt: it is empty.
std::optional<decision::Flow> example_of(const ConnectionSet& set, const HttpAtoms& atoms,
                                         net::Family family);

/// Fills in example and causes of a change between these two ends.
void explain_change(const decision::LoweredCluster& base, const decision::LoweredCluster& head,
                    const DiffEnd& source, const DiffEnd& destination, const HttpAtoms& atoms,
                    net::Family family, FlowChange& change);

} // namespace polecat::analyzer
