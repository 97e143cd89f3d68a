/// What `compile --target iptables` writes of a node.
#pragma once

#include <map>
#include <string>

#include "backends/iptables/image.h"

namespace polecat::cli {

/// Texts by name of file. Throws where they do not read back as the image.
std::map<std::string, std::string> iptables_files(const iptables::FilterImage& image,
                                                  const std::string& node);

} // namespace polecat::cli
