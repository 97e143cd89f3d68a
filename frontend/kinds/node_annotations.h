/// Calico's part of a Kubernetes Node, which it keeps in annotations.
#pragma once

#include "frontend/kinds/kinds.h"

namespace polecat::frontend {

/// Reports values that Calico passes over: an address, an AS number or an ID that is none.
void check_node_annotations(ObjectContext& context);

} // namespace polecat::frontend
