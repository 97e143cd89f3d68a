/// `compile --target bundle`.
#pragma once

#include <string>

#include "backends/bundle/pack.h"
#include "driver/input/input.h"

namespace polecat::cli {

/// Nothing is written unless all of it can be.
int compile_bundle(const driver::Input& input, const decision::LoweredCluster& cluster,
                   const std::string& folder, const bundle::Base& base);

} // namespace polecat::cli
