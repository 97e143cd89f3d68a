/// `polecat completion SHELL`: scripts written from the program's own commands and options.
#include <fmt/format.h>

#include "cli/polecat/commands.h"
#include "cli/polecat/program/command_tree.h"
#include "driver/input/input.h"

namespace polecat::cli {

using namespace driver;

namespace {

std::string joined(const std::vector<std::string>& words, const std::string& between) {
    return CLI::detail::join(words, between);
}

std::vector<std::string> option_names(const CommandInfo& command) {
    std::vector<std::string> out;
    for (const OptionInfo& each : command.options)
        out.insert(out.end(), each.names.begin(), each.names.end());
    return out;
}

std::vector<std::string> command_names(const CommandInfo& program) {
    std::vector<std::string> out;
    for (const CommandInfo& each : program.commands)
        out.push_back(each.name);
    return out;
}

std::vector<std::string> positional_choices(const CommandInfo& command) {
    std::vector<std::string> out;
    for (const OptionInfo& each : command.positionals)
        out.insert(out.end(), each.choices.begin(), each.choices.end());
    return out;
}

/// Text in single quotes, for any of the shells.
std::string quoted(const std::string& text, const char* quote) {
    std::string out = "'";
    for (const char each : text)
        out += each == '\'' ? std::string(quote) : std::string(1, each == '\n' ? ' ' : each);
    return out + "'";
}

/// A case for each option that takes a value: its choices, or files (an empty answer).
std::string bash_values(const CommandInfo& command) {
    std::string out;
    for (const OptionInfo& each : command.options) {
        if (!each.takes_value)
            continue;
        std::vector<std::string> patterns;
        for (const std::string& name : each.names)
            patterns.push_back(command.name + ":" + name);
        out += "    " + joined(patterns, " | ") + ") words='" + joined(each.choices, " ") +
               "'; value=1 ;;\n";
    }
    return out;
}

/// What an argument of zsh's _arguments says of the value.
std::string zsh_value(const OptionInfo& option) {
    std::string name;
    for (const char each : option.type.empty() ? std::string("value") : option.type)
        name += each == ':' ? ' ' : each;
    return ":" + name + ":" +
           (option.choices.empty() ? "_files" : "(" + joined(option.choices, " ") + ")");
}

/// Brackets and colons part the fields of _arguments.
std::string zsh_text(const std::string& text) {
    std::string out;
    for (const char each : text) {
        if (each == '[' || each == ']' || each == ':' || each == '\\')
            out += '\\';
        out += each;
    }
    return out;
}

std::string zsh_arguments(const CommandInfo& command) {
    std::string out = "      _arguments";
    const auto add = [&](const std::string& spec) {
        out += " \\\n        " + quoted(spec, "'\\''");
    };
    for (const OptionInfo& each : command.options)
        for (const std::string& name : each.names)
            add((each.repeats ? "*" : "") + name + "[" + zsh_text(each.description) + "]" +
                (each.takes_value ? zsh_value(each) : ""));
    for (const OptionInfo& each : command.positionals)
        add((each.repeats ? "*" : "") + zsh_value(each));
    return out + "\n";
}

std::string fish_option(const OptionInfo& option, const std::string& condition) {
    std::string out = "complete -c polecat -n " + quoted(condition, "\\'");
    for (const std::string& name : option.names)
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    if (option.takes_value && !option.choices.empty())
        out += " -x -a " + quoted(joined(option.choices, " "), "\\'");
    else if (option.takes_value)
        out += " -r -F";
    return out + " -d " + quoted(option.description, "\\'") + "\n";
}

int run(const CommandInfo& program, const std::string& shell) {
    fmt::print("{}", shell == "bash"  ? bash_completion(program)
                     : shell == "zsh" ? zsh_completion(program)
                                      : fish_completion(program));
    return kGood;
}

} // namespace

std::string bash_completion(const CommandInfo& program) {
    std::string values = bash_values(CommandInfo{"", "", "", {}, program.options, {}});
    std::string words;
    for (const CommandInfo& each : program.commands) {
        values += bash_values(each);
        words += "    " + each.name + ":-*) words='" + joined(option_names(each), " ") + "' ;;\n";
        if (const auto choices = positional_choices(each); !choices.empty())
            words += "    " + each.name + ":*) words='" + joined(choices, " ") + "' ;;\n";
    }
    const std::string commands = joined(command_names(program), " ");
    // An empty answer makes bash complete file names (complete -o default). bash takes "=" as a
    // word of its own: "--format=js" is three words.
    return "# bash completion of polecat\n"
           "_polecat() {\n"
           "  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
           "  local command= words= value= i\n"
           "  if [ \"$current\" = = ]; then\n"
           "    current=\n"
           "  elif [ \"$before\" = = ]; then\n"
           "    before=${COMP_WORDS[COMP_CWORD - 2]}\n"
           "  fi\n"
           "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "    case ${COMP_WORDS[i]} in\n    " +
           joined(command_names(program), " | ") +
           ") command=${COMP_WORDS[i]}; break ;;\n"
           "    esac\n"
           "  done\n"
           "  case $command:$before in\n" +
           values +
           "  esac\n"
           "  [ -n \"$value\" ] || case $command:$current in\n"
           "    :-*) words='" +
           joined(option_names(program), " ") + "' ;;\n    :*) words='" + commands + "' ;;\n" +
           words +
           "  esac\n"
           "  COMPREPLY=()\n"
           "  [ -z \"$words\" ] || COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
           "}\n"
           "complete -o default -F _polecat polecat\n";
}

std::string zsh_completion(const CommandInfo& program) {
    std::string out = "#compdef polecat\n_polecat() {\n"
                      "  local -a commands\n  local state line\n  commands=(\n";
    for (const CommandInfo& each : program.commands)
        out += "    " + quoted(each.name + ":" + zsh_text(each.description), "'\\''") + "\n";
    out += "  )\n  _arguments -C '1:command:->command' '*::argument:->argument'\n"
           "  case $state in\n"
           "  command) _describe command commands ;;\n"
           "  argument)\n"
           "    case $line[1] in\n";
    for (const CommandInfo& each : program.commands)
        out += "    " + each.name + ")\n" + zsh_arguments(each) + "      ;;\n";
    return out + "    esac\n    ;;\n  esac\n}\n"
                 "if [ \"$funcstack[1]\" = _polecat ]; then _polecat \"$@\"; else compdef _polecat "
                 "polecat; fi\n";
}

std::string fish_completion(const CommandInfo& program) {
    const std::string first = "__fish_use_subcommand";
    std::string out = "# fish completion of polecat\n";
    for (const OptionInfo& each : program.options)
        out += fish_option(each, first);
    for (const CommandInfo& each : program.commands) {
        out += "complete -c polecat -n " + first + " -f -a " + each.name + " -d " +
               quoted(each.description, "\\'") + "\n";
        const std::string condition = "__fish_seen_subcommand_from " + each.name;
        for (const OptionInfo& option : each.options)
            out += fish_option(option, condition);
        if (const auto choices = positional_choices(each); !choices.empty())
            out += "complete -c polecat -n " + quoted(condition, "\\'") + " -f -a " +
                   quoted(joined(choices, " "), "\\'") + "\n";
    }
    return out;
}

void add_completion(CLI::App& app, int& exit_code) {
    auto shell = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("completion", "print a script that completes commands");
    command->add_option("SHELL", *shell, "the shell that reads the script")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    command->footer("Examples:\n"
                    "  source <(polecat completion bash)\n"
                    "  polecat completion zsh > \"${fpath[1]}/_polecat\"\n"
                    "  polecat completion fish > ~/.config/fish/completions/polecat.fish");
    command->callback([&app, shell, &exit_code] { exit_code = run(describe(app), *shell); });
}

} // namespace polecat::cli
