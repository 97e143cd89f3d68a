/// origins.json of a node: which file and line each slot of each program stands for.
#pragma once

#include <string>

#include "backends/node/build.h"
#include "support/source.h"

namespace polecat::cli {

std::string origins_json(const decision::LoweredCluster& cluster, backends::NodeImages& images,
                         const backends::NodeImage& image, const std::string& node,
                         const Sources& sources);

} // namespace polecat::cli
