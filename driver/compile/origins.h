/// origins.json of a node: which file and line each slot of each program stands for.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "backends/node/build.h"
#include "support/result.h"
#include "support/source.h"

namespace polecat::driver {

std::string origins_json(const decision::LoweredCluster& cluster, backends::NodeImages& images,
                         const backends::NodeImage& image, const std::string& node,
                         const Sources& sources);

/// The same, read again: "NetworkPolicy shop/web ingress[0] (policy.yaml:3:4)".
struct Origins {
    std::string node;
    /// By interface and program; what slots stand for.
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> slots;

    /// Of that interface, or of any other with the program; empty: it is not there.
    std::string rule(const std::string& interface, const std::string& program,
                     std::uint32_t slot) const;
};
Result<Origins> parse_origins(const std::string& text);

/// What of a node's programs and slots it does not have; empty: nothing.
std::string origins_lack(const Origins& origins, const std::string& node,
                         const backends::NodeImage& image);

} // namespace polecat::driver
