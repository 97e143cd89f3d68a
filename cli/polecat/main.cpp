/// polecat: the policy compiler's command line.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/polecat/commands.h"
#include "cli/polecat/program/version.h"
#include "driver/input/input.h"

namespace {

/// The command that was named, with the one below it: "bgp sessions".
std::string named_command(const CLI::App& app) {
    std::string out = app.get_name();
    for (const CLI::App* each : app.get_subcommands())
        out += " " + named_command(*each);
    return out;
}

/// What is wrong with the arguments, and where their description is.
void print_refused(const CLI::App& app, const CLI::ParseError& error) {
    std::string what = error.what();
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
        // Whose own text has them in another order.
        const std::vector<std::string> extras = app.remaining(true);
        const bool option = !extras.empty() && extras.front().starts_with("-");
        what = fmt::format("{}: {}", option ? "there is no option" : "more arguments than it takes",
                           fmt::join(extras, " "));
    }
    const std::string command = named_command(app);
    fmt::print(stderr, "{0}: {1}\n`{0} --help` shows its options and examples\n", command, what);
}

} // namespace

// What CLI11 throws of options as they are declared is a mistake of ours.
int main(int argc, char** argv) { // NOLINT(bugprone-exception-escape)
    using namespace polecat::cli;
    using namespace polecat::driver;
    CLI::App app{"polecat reads Kubernetes and Calico network policy, says what it means, and "
                 "compiles it to rules that the kernel enforces.",
                 "polecat"};
    app.set_version_flag("--version", version_text());
    app.require_subcommand(1);
    app.footer("Exit codes: 0 nothing found, 1 findings or a failed expectation, 2 bad usage or "
               "nothing that can be read.\n`polecat COMMAND --help` shows examples.");
    int exit_code = kGood;
    add_lint(app, exit_code);
    add_reach(app, exit_code);
    add_map(app, exit_code);
    add_exposure(app, exit_code);
    add_which(app, exit_code);
    add_bgp(app, exit_code);
    add_diff(app, exit_code);
    add_report(app, exit_code);
    add_test(app, exit_code);
    add_compile(app, exit_code);
    add_bundle(app, exit_code);
    add_verify(app, exit_code);
    add_load(app, exit_code);
    add_dump(app, exit_code);
    add_try(app, exit_code);
    add_explain(app, exit_code);
    add_completion(app, exit_code);
    add_man(app, exit_code);
    try {
        std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
        const bool named = !arguments.empty() && !arguments.front().starts_with('-');
        std::vector<std::string> commands;
        for (const CLI::App* each : std::as_const(app).get_subcommands(nullptr))
            commands.push_back(each->get_name());
        if (named &&
            std::find(commands.begin(), commands.end(), arguments.front()) == commands.end()) {
            fmt::print(stderr, "polecat: there is no command `{}`, but {}\n", arguments.front(),
                       fmt::join(commands, ", "));
            return kBadInput;
        }
        // "--" before paths as git has it; a command's own arguments would end there.
        if (!arguments.empty() && arguments.front() == "diff")
            std::erase(arguments, "--");
        std::reverse(arguments.begin(), arguments.end());
        app.parse(std::move(arguments));
    } catch (const CLI::RuntimeError& error) { // a command that told why it ends
        return error.get_exit_code();
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) // help and version
            return app.exit(error);
        print_refused(app, error);
        return kBadInput;
    } catch (const std::filesystem::filesystem_error& error) {
        fmt::print(stderr, "polecat: {}: {}\n", error.path1().string(), error.code().message());
        return kBadInput;
    } catch (const std::exception& error) {
        fmt::print(stderr, "polecat: {}\n", error.what());
        return kBadInput;
    }
    return exit_code;
}
