/// The commands of polecat. Each adds itself to the program and sets the exit code when it ran.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "support/result.h"

namespace polecat::driver {
struct InputOptions;
}

namespace polecat::cli {

[[noreturn]] inline void wrong_usage(const std::string& message) {
    throw CLI::ValidationError(message);
}

/// The value, or what is wrong with how the command was called. `of`: what comes before that.
template <class T> T value_or_usage(Result<T> result, const std::string& of = "") {
    if (!result)
        wrong_usage(of + result.error());
    return *std::move(result);
}

void add_lint(CLI::App& app, int& exit_code);
void add_reach(CLI::App& app, int& exit_code);
void add_map(CLI::App& app, int& exit_code);
void add_exposure(CLI::App& app, int& exit_code);
void add_which(CLI::App& app, int& exit_code);
void add_bgp(CLI::App& app, int& exit_code);
void add_diff(CLI::App& app, int& exit_code);
void add_report(CLI::App& app, int& exit_code);
void add_test(CLI::App& app, int& exit_code);
void add_compile(CLI::App& app, int& exit_code);
void add_bundle(CLI::App& app, int& exit_code);
void add_verify(CLI::App& app, int& exit_code);
void add_load(CLI::App& app, int& exit_code);
void add_dump(CLI::App& app, int& exit_code);
void add_try(CLI::App& app, int& exit_code);
void add_explain(CLI::App& app, int& exit_code);
void add_completion(CLI::App& app, int& exit_code);
void add_man(CLI::App& app, int& exit_code);

/// What commands say of the manifests they read.
inline constexpr const char* kPathsHelp =
    "manifests: files, folders, or - for standard input; this folder when none is named";

/// The options of every command that reads manifests.
void add_input_options(CLI::App& command, driver::InputOptions& into);

/// The option --unknown-address of every command that lowers manifests; see lower_options().
void add_unknown_address(CLI::App& command, std::string& into);

} // namespace polecat::cli
