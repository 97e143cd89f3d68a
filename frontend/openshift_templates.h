/// Template objects of OpenShift: manifests with `${PARAMETER}` in them, which `oc process` fills
/// in.
#pragma once

#include <string>
#include <vector>

#include "frontend/objects.h"
#include "support/diag/diagnostic.h"
#include "support/source.h"

namespace polecat::frontend {

/// Says of each that holds policies that they are not read, and how to have them read. `sources`:
/// nullptr: the objects are of no file.
void report_unprocessed(const std::vector<Object>& objects, const Sources* sources,
                        diag::Diagnostics& diagnostics);

} // namespace polecat::frontend
