#include <fmt/format.h>

#include "cli/polecat/commands.h"
#include "cli/polecat/program/loading_options.h"
#include "driver/load/dump.h"

namespace polecat::cli {

using namespace driver;

namespace {

struct DumpCommand {
    std::string folder;
    std::string target = "nftables";
    LoadingOptions loading;
};

int run_dump(const DumpCommand& command) {
    const auto done =
        dump(command.folder, kind_of_target(command.target), command.loading.of(command.target));
    if (done)
        return kGood;
    fmt::print(stderr, "polecat: nothing was written: {}\n", done.error());
    return kBadInput;
}

} // namespace

void add_dump(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<DumpCommand>();
    CLI::App* command =
        app.add_subcommand("dump", "write what this machine's kernel has into a folder");
    command->add_option("FOLDER", options->folder, "new or empty")->required();
    command
        ->add_option("--target", options->target,
                     "nftables, iptables or bpf: what polecat loaded here")
        ->check(CLI::IsMember({"nftables", "iptables", "bpf"}))
        ->capture_default_str();
    add_loading_options(*command, options->loading);
    command->footer("`verify --rules` and `diff --rules` read the folder, on any machine. Rules of "
                    "others are in it: they\nare looked at for what undoes a verdict.\nExamples:\n"
                    "  polecat dump held\n"
                    "  polecat dump held --target bpf --variant legacy\n"
                    "  polecat verify compiled manifests/ --target bpf --node node1 --rules held");
    command->callback([options, &exit_code] { exit_code = run_dump(*options); });
}

} // namespace polecat::cli
