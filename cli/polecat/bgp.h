/// What the commands below `polecat bgp` share.
#pragma once

#include "cli/polecat/routing_input.h"

namespace polecat::cli {

struct BgpOptions {
    std::vector<std::string> paths{"."};
    InputOptions input;
    RoutingFlags flags;
    std::string format = "text";
};

/// --files, --format and the options of reading.
void add_bgp_options(CLI::App& command, BgpOptions& into, std::vector<std::string> formats);

void add_bgp_sessions(CLI::App& bgp, int& exit_code);
void add_bgp_announce(CLI::App& bgp, int& exit_code);
void add_bgp_accept(CLI::App& bgp, int& exit_code);

} // namespace polecat::cli
