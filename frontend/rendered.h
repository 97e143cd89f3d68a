/// Findings in what another tool made point to the file that the object was made from.
#pragma once

#include <vector>

#include "frontend/yaml/node.h"

namespace polecat::frontend {

/// Gives the objects of `rendered` the places of the same objects (kind, namespace where it is
/// given, name) in `sources`, field by field. Others keep their own.
void point_to_sources(std::vector<yaml::Document>& rendered,
                      const std::vector<yaml::Document>& sources);

} // namespace polecat::frontend
