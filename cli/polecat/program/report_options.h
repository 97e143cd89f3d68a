/// What this program's reports for other programs say of it.
#pragma once

#include "support/diag/render.h"

namespace polecat::cli {

/// Paths relative to the folder the program runs in, its version and its pages.
diag::ReportOptions report_options();

} // namespace polecat::cli
