#include <fmt/format.h>

#include "cli/polecat/commands.h"
#include "cli/polecat/program/loading_options.h"
#include "driver/compile/folder.h"
#include "driver/compile/folder_kind.h"
#include "driver/input/input.h"
#include "driver/load/node.h"

namespace polecat::cli {

using namespace driver;

namespace {

struct LoadCommand {
    std::string folder;
    std::string node;
    LoadingOptions loading;
    bool dry_run = false;
};

/// The only one, where none is named.
std::string node_to_load(const LoadCommand& command) {
    if (folder_kind(command.folder) == FolderKind::Bundle)
        wrong_usage(fmt::format("{0} is a bundle: `polecat bundle extract {0} --node NODE -o DIR` "
                                "makes a node's rules of it; load DIR",
                                command.folder));
    const std::set<std::string> nodes = nodes_in(command.folder);
    if (nodes.empty())
        wrong_usage(command.folder +
                    " has no node's rules in it: name a folder that `polecat compile` wrote");
    if (!command.node.empty() && !nodes.contains(command.node))
        throw CLI::ValidationError("--node", command.folder + " has no node " + command.node);
    if (command.node.empty() && nodes.size() != 1)
        throw CLI::ValidationError("--node", fmt::format("say which of the {} nodes of {} this is",
                                                         nodes.size(), command.folder));
    return command.node.empty() ? *nodes.begin() : command.node;
}

int run(const LoadCommand& command) {
    const std::string node = node_to_load(command);
    LoadOptions options = command.loading.of(target_of(folder_kind(command.folder)));
    options.only_tell = command.dry_run;
    const auto done = load_node(command.folder, node, options);
    if (!done) {
        fmt::print(stderr, "polecat: {} was not loaded: {}\n", node, done.error());
        return kBadInput;
    }
    for (const std::string& each : done->steps)
        fmt::print("{}{}\n", command.dry_run ? "to do: " : "", each);
    fmt::print("{}: {}\n", node,
               done->steps.empty() ? "this machine has it already"
               : command.dry_run   ? "nothing was loaded"
                                   : "loaded");
    return kGood;
}

} // namespace

void add_load(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<LoadCommand>();
    CLI::App* command = app.add_subcommand("load", "bring this machine's kernel to a node's rules");
    command
        ->add_option("FOLDER", options->folder,
                     "what `compile` wrote for nftables, iptables or bpf")
        ->required();
    command->add_option("--node", options->node,
                        "the node that this machine is; not needed where FOLDER has one only");
    add_loading_options(*command, options->loading);
    command->add_flag("--dry-run", options->dry_run, "say the steps and take none");
    command->footer(
        "It looks at what the kernel has of polecat and takes the steps between, in an "
        "order in which no\npacket meets half of a policy. Ended at any point, it comes "
        "to the same end when it is run again.\nExamples:\n"
        "  polecat load compiled --node node1\n"
        "  polecat load compiled --node node1 --variant legacy --dry-run");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
