/// What a folder that `compile` wrote has of a node, loaded into this machine's kernel.
#pragma once

#include <string>

#include "driver/load/load.h"

namespace polecat::driver {

/// Of the target that the folder was compiled for. Nothing is loaded of what does not read back
/// whole, and nothing while another load is under way: it waits for that, then is an error.
Result<Loaded> load_node(const std::string& folder, const std::string& node,
                         const LoadOptions& options);

} // namespace polecat::driver
