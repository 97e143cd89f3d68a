#include "cli/polecat/commands.h"

namespace polecat::cli {

void add_unknown_address(CLI::App& command, std::string& into) {
    command
        .add_option("--unknown-address", into,
                    "where a pod without an address lies: depends (not known), or outside-blocks "
                    "(inside no CIDR)")
        ->check(CLI::IsMember({"depends", "outside-blocks"}));
}

} // namespace polecat::cli
