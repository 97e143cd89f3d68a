/// Port names that nothing can match. For check_references.
#pragma once

#include "ir/policy/cluster.h"
#include "ir/policy/extent.h"
#include "support/diag/diagnostic.h"

namespace polecat::frontend {

void check_port_names(const policy::Cluster& cluster, const policy::Extent& extent,
                      diag::Diagnostics& diagnostics);

} // namespace polecat::frontend
