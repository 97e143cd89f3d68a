/// What the commands below `polecat bgp` share.
#pragma once

#include "cli/polecat/bgp/input.h"
#include "cli/polecat/commands.h"

namespace polecat::cli {

struct BgpOptions {
    std::vector<std::string> paths{"."};
    driver::InputOptions input;
    driver::RoutingFlags flags;
    std::string format = "text";
};

/// Of the commands that ask about routes of nodes.
struct BgpRouteOptions : BgpOptions {
    std::string node;
    bool explain = false;

    routing::Trail trail() const {
        return explain ? routing::Trail::Everything : routing::Trail::Applied;
    }
};
/// --node, --explain and those of add_bgp_options, as text or JSON.
void add_bgp_route_options(CLI::App& command, BgpRouteOptions& into, const std::string& node_help);

/// --files, --format and the options of reading.
void add_bgp_options(CLI::App& command, BgpOptions& into, std::vector<std::string> formats);

void add_bgp_sessions(CLI::App& bgp, int& exit_code);
void add_bgp_announce(CLI::App& bgp, int& exit_code);
void add_bgp_accept(CLI::App& bgp, int& exit_code);

} // namespace polecat::cli
