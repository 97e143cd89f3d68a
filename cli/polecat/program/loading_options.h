/// The options of commands that load rules into a kernel.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "driver/load/load.h"

namespace polecat::cli {

struct LoadingOptions {
    std::string variant, classifier; ///< empty: not said

    /// For rules of this target, as `compile --target` names it. What was said and is not for it is
    /// wrong usage: nobody should think that it was heard.
    driver::LoadOptions of(const std::string& target) const;
};
void add_loading_options(CLI::App& command, LoadingOptions& into);

} // namespace polecat::cli
