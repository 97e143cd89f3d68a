#include "cli/polecat/bgp/bgp.h"

#include <fmt/format.h>

#include "cli/polecat/commands.h"

namespace polecat::cli {

using namespace driver;

void add_bgp_options(CLI::App& command, BgpOptions& into, std::vector<std::string> formats) {
    command.add_option("-f,--files", into.paths, kPathsHelp);
    add_input_options(command, into.input);
    command.add_option("--format", into.format, fmt::format("{}", fmt::join(formats, ", ")))
        ->check(CLI::IsMember(formats));
    add_routing_flags(command, into.flags, "");
}

void add_bgp_route_options(CLI::App& command, BgpRouteOptions& into, const std::string& node_help) {
    command.add_option("--node", into.node, node_help);
    command.add_flag("--explain", into.explain,
                     "every filter rule and built-in step that was looked at");
    add_bgp_options(command, into, {"text", "json"});
}

void add_bgp(CLI::App& app, int& exit_code) {
    CLI::App* bgp = app.add_subcommand("bgp", "what the nodes' BGP does, before it is rolled out");
    bgp->require_subcommand(1);
    add_bgp_sessions(*bgp, exit_code);
    add_bgp_announce(*bgp, exit_code);
    add_bgp_accept(*bgp, exit_code);
}

} // namespace polecat::cli
