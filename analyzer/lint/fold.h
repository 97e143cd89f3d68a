/// Facts about the whole input that many objects share: told once.
#pragma once

#include "support/diag/diagnostic.h"

namespace polecat::lint {

/// Of each such rule the first finding stays, and says how many there are. After suppressions and
/// the baseline, which speak of each one.
void fold(diag::Diagnostics& findings);

} // namespace polecat::lint
