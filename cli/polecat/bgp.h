/// What the commands below `polecat bgp` share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/common/input.h"
#include "ir/routing/cluster.h"

namespace polecat::cli {

struct BgpOptions {
    std::vector<std::string> paths{"."};
    InputOptions input;
    std::string format = "text";
};

/// --files, --format and the options of reading.
void add_bgp_options(CLI::App& command, BgpOptions& into);

/// The routing of the manifests. What Calico or BIRD would refuse is printed to standard error.
struct RoutedInput {
    Input input;
    routing::ClusterRouting routing;
    std::vector<routing::NodeRouting> nodes; ///< those that are not refused
    bool refused = false;                    ///< something is

    /// "BGPPeer tor (bgp.yaml:3:1)"; "Calico's default".
    std::string text_of(const routing::Origin& origin) const;
    /// Throws where there is no such node.
    routing::NodeIndex node(const std::string& name) const;
};

/// `mesh`: false leaves the sessions of the mesh out of `nodes`.
RoutedInput read_routing(const BgpOptions& options, bool mesh);

void add_bgp_sessions(CLI::App& bgp, int& exit_code);

} // namespace polecat::cli
