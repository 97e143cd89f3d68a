/// Lint: mistakes in policy that load without an error. Each finding has a code of the 4xxx range
/// and a page docs/diagnostics/PC4xxx.md; docs/lint.md lists them. Claims that a rule never does
/// something are exact for the endpoints that exist.
#pragma once

#include "analyzer/lint/context.h"
#include "support/diag/diagnostic.h"

namespace polecat::lint {

void run(Context& context, diag::Diagnostics& diagnostics);
/// What the findings of run() claim, for a second engine.
std::vector<analyzer::Claim> claims_of(Context& context);

} // namespace polecat::lint
