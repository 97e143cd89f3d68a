/// `compile --target bundle --watch`.
#pragma once

#include <string>
#include <vector>

#include "backends/bundle/pack.h"
#include "driver/input/input.h"

namespace polecat::cli {

/// Keeps the bundle of a folder as the manifests are. Returns when that is not possible any more.
int watch_bundle(const std::vector<std::string>& paths, const driver::InputOptions& options,
                 const std::string& folder, bundle::Base base);

} // namespace polecat::cli
