/// polecat compile --target bird.
#pragma once

#include <string>

#include "cli/polecat/bgp/input.h"

namespace polecat::cli {

struct BirdCompileOptions {
    std::string node; ///< empty: every node with an address for BGP
    std::string out;  ///< folder of the bundle
    driver::RoutingFlags flags;
    bool origins = true;
};

/// The exit code. Nothing is written unless every node can be.
int compile_bird(const BirdCompileOptions& options, driver::Input& input);

/// Creates the folders on the way.
bool write_file(const std::string& path, const std::string& text);

} // namespace polecat::cli
