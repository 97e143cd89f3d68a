/// From the names of ends that people write to ends of paths.
#pragma once

#include "ir/decision/lowered.h"
#include "ir/expectation.h"
#include "ir/path/path.h"
#include "support/result.h"

namespace polecat::analyzer {

/// A name that nothing has, or that several things have, is an error that says so and names what
/// was probably meant. A range of addresses has no single end: use it with map().
Result<ir::PathEnd> find_end(const decision::LoweredCluster& cluster,
                             const expectation::EndName& name);

/// The workload or host endpoint of that name.
Result<decision::ObjectId> find_object(const decision::LoweredCluster& cluster,
                                       const expectation::EndName& name);

} // namespace polecat::analyzer
