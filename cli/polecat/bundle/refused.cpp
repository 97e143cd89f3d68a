#include "cli/polecat/bundle/refused.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "driver/bundle/folder.h"
#include "driver/input/input.h"
#include "support/diag/render.h"

namespace polecat::cli {

using namespace driver;

void end_refused(const std::string& folder, const bundle::Refused& refused) {
    diag::Diagnostics diagnostics;
    report(folder, refused, diagnostics);
    fmt::print(stderr, "{}", diag::render_text(diagnostics.list(), {}, {colour_on(true)}));
    throw CLI::RuntimeError(kBadInput);
}

} // namespace polecat::cli
