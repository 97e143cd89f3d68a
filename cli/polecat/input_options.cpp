// Options that commands share.
#include "cli/polecat/commands.h"
#include "driver/input/input.h"

namespace polecat::cli {

using namespace driver;

void add_input_options(CLI::App& command, InputOptions& into) {
    command.add_option(
        "--namespace", into.space,
        "where objects go that give no namespace, as with kubectl and helm; `default` "
        "without it");
    command.add_flag("--list-skipped", into.list_skipped,
                     "print the files of folders that hold no manifests, and why (standard error)");
    command.add_flag(
        "--render", into.render,
        "have helm and kustomize make manifests of charts and kustomizations below the paths");
    command
        .add_option("--values", into.values,
                    "with --render: a file of values for helm template; may stand several times")
        ->allow_extra_args(false);
}

void add_unknown_address(CLI::App& command, std::string& into) {
    command
        .add_option("--unknown-address", into,
                    "where a pod without an address lies: depends (not known), or outside-blocks "
                    "(inside no CIDR)")
        ->check(CLI::IsMember({"depends", "outside-blocks"}));
}

} // namespace polecat::cli
