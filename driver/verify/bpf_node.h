/// What a bundle has of a node for the BPF classifier, read again.
#pragma once

#include <string>

#include "backends/node/node_image.h"
#include "support/result.h"

namespace polecat::driver {

/// Of a file of tables. Errors of both name the file.
Result<backends::NodeImage> tables_in(const std::string& path);
/// The same, with the rules of iptables beside it exactly as they are written.
Result<backends::NodeImage> bpf_node_in(const std::string& bundle, const std::string& node);

} // namespace polecat::driver
