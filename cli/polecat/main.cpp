/// polecat: the policy compiler's command line.
#include <cstdio>
#include <exception>

#include <fmt/format.h>

#include "cli/common/input.h"
#include "cli/polecat/commands.h"

int main(int argc, char** argv) {
    using namespace polecat::cli;
    CLI::App app{"polecat reads Kubernetes and Calico network policy, says what it means, and "
                 "compiles it to rules that the kernel enforces.",
                 "polecat"};
    app.set_version_flag("--version", "polecat " POLECAT_VERSION);
    app.require_subcommand(1);
    app.footer("Exit codes: 0 nothing found, 1 findings or a failed expectation, 2 bad usage or "
               "unreadable input.\n`polecat COMMAND --help` shows examples.");
    int exit_code = kGood;
    add_lint(app, exit_code);
    add_reach(app, exit_code);
    add_map(app, exit_code);
    add_test(app, exit_code);
    add_compile(app, exit_code);
    add_try(app, exit_code);
    add_explain(app, exit_code);
    add_completion(app, exit_code);
    add_man(app, exit_code);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? kGood : kBadInput;
    } catch (const std::exception& error) {
        fmt::print(stderr, "polecat: {}\n", error.what());
        return kBadInput;
    }
    return exit_code;
}
