/// The checks by family of mistakes, a file each. For analyzer/lint only.
#pragma once

#include "analyzer/lint/context.h"
#include "support/diag/diagnostic.h"

namespace polecat::lint {

using diag::Code;
using diag::Diagnostics;

void check_dead_rules(Context& context, Diagnostics& out);  ///< dead_rules.cpp
void check_selections(Context& context, Diagnostics& out);  ///< selections.cpp
void check_dns(Context& context, Diagnostics& out);         ///< dns.cpp

} // namespace polecat::lint
