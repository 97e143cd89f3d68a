/// Findings that manifests say are meant so.
///
///   # polecat:ignore SLUG[,SLUG...] REASON        on the line of the finding, or above it
///   polecat.io/ignore: "SLUG: REASON; SLUG: ..."  of the object that the finding is in
#pragma once

#include <cstddef>
#include <span>

#include "ir/policy/suppression.h"
#include "support/diag/diagnostic.h"

namespace polecat::lint {

/// Takes suppressed findings out of `findings` and reports suppressions that don't count. `loads`:
/// every rule of lint ran, so that one that suppressed nothing is known to be unused. Returns how
/// many findings were taken out.
std::size_t suppress(std::span<const policy::Suppression> suppressions, bool loads,
                     diag::Diagnostics& findings);

} // namespace polecat::lint
