/// The commands and options as the program declares them, for shell completion and man pages.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace polecat::cli {

struct OptionInfo {
    std::vector<std::string> names;   ///< "-f", "--files"; of a positional, "PATH"
    std::vector<std::string> choices; ///< the only values it takes; empty: any
    std::string type;                 ///< "TEXT"
    std::string description;
    bool takes_value = false, repeats = false, required = false;
};

struct CommandInfo {
    std::string name, description, footer;
    std::vector<OptionInfo> positionals, options;
    std::vector<CommandInfo> commands;
};

CommandInfo describe(const CLI::App& app);

std::string bash_completion(const CommandInfo& program);
std::string zsh_completion(const CommandInfo& program);
std::string fish_completion(const CommandInfo& program);

/// The page of the program, or of one of its commands ("polecat-lint(1)"), in roff's man macros.
std::string man_page(const CommandInfo& program, const CommandInfo* command,
                     const std::string& version);

} // namespace polecat::cli
