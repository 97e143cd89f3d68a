/// `polecat man [COMMAND]`: man pages written from the program's own commands and options.
#include <fmt/format.h>

#include "cli/polecat/commands.h"
#include "cli/polecat/program/command_tree.h"
#include "driver/input/input.h"

namespace polecat::cli {

using namespace driver;

namespace {

/// Text that roff sets as it stands.
std::string roff(const std::string& text) {
    std::string out;
    bool line_start = true;
    for (const char each : text) {
        if (line_start && (each == '.' || each == '\''))
            out += "\\&";
        line_start = each == '\n';
        if (each == '\\')
            out += "\\e";
        else if (each == '-')
            out += "\\-";
        else if (each == '\'')
            out += "\\(aq";
        else if (each == '`')
            out += "\\(ga";
        else if (each == '~')
            out += "\\(ti";
        else if (each == '^')
            out += "\\(ha";
        else
            out += each;
    }
    return out;
}

std::string bold(const std::string& text) {
    return "\\fB" + roff(text) + "\\fR";
}

std::string value_text(const OptionInfo& option) {
    if (option.choices.empty())
        return "\\fI" + roff(option.type) + "\\fR";
    return roff(CLI::detail::join(option.choices, "|"));
}

std::string option_text(const OptionInfo& option) {
    std::string out = ".TP\n";
    for (std::size_t i = 0; i < option.names.size(); ++i)
        out += (i == 0 ? "" : ", ") + bold(option.names[i]);
    if (option.takes_value)
        out += " " + value_text(option) + (option.repeats ? " ..." : "");
    return out + "\n" + roff(option.description) + "\n";
}

std::string positional_text(const OptionInfo& option) {
    return ".TP\n\\fI" + roff(option.names.front()) + "\\fR" + (option.repeats ? " ..." : "") +
           (option.choices.empty() ? "" : " " + value_text(option)) + "\n" +
           roff(option.description) + "\n";
}

std::string synopsis(const CommandInfo& command, const std::string& call) {
    std::string out = ".SH SYNOPSIS\n" + bold(call) + " [\\fIOPTIONS\\fR]";
    for (const OptionInfo& each : command.positionals) {
        const std::string name =
            "\\fI" + roff(each.names.front()) + "\\fR" + (each.repeats ? " ..." : "");
        out += each.required ? " " + name : " [" + name + "]";
    }
    return out + (command.commands.empty() ? "" : " \\fICOMMAND\\fR") + "\n";
}

/// Footers have prose first, then "Examples:" with indented lines.
std::string footer_text(const std::string& footer) {
    constexpr std::string_view kExamples = "Examples:\n";
    const std::size_t at = footer.find(kExamples);
    std::string out;
    if (at != 0 && !footer.empty())
        out += ".SH NOTES\n.nf\n" + roff(footer.substr(0, at == std::string::npos ? at : at - 1)) +
               "\n.fi\n";
    if (at != std::string::npos)
        out += ".SH EXAMPLES\n.nf\n" + roff(footer.substr(at + kExamples.size())) + "\n.fi\n";
    return out;
}

std::string see_also(const CommandInfo& program, const CommandInfo* command) {
    std::string out = ".SH SEE ALSO\n";
    if (command != nullptr)
        return out + ".BR polecat (1)\n";
    for (std::size_t i = 0; i < program.commands.size(); ++i)
        out += ".BR polecat\\-" + roff(program.commands[i].name) + " (1)" +
               (i + 1 == program.commands.size() ? "" : ",") + "\n";
    return out;
}

int print_page(const CommandInfo& program, const std::string& name) {
    const CommandInfo* found = nullptr;
    for (const CommandInfo& each : program.commands)
        if (each.name == name)
            found = &each;
    if (!name.empty() && found == nullptr) {
        fmt::print(stderr, "polecat: there is no command `{}`\n", name);
        return kBadInput;
    }
    fmt::print("{}", man_page(program, found, POLECAT_VERSION));
    return kGood;
}

} // namespace

std::string man_page(const CommandInfo& program, const CommandInfo* command,
                     const std::string& version) {
    const CommandInfo& shown = command == nullptr ? program : *command;
    const std::string name = command == nullptr ? "polecat" : "polecat-" + command->name;
    const std::string call = command == nullptr ? "polecat" : "polecat " + command->name;
    // No date, so that a page depends on the program only.
    std::string out = ".TH " + roff(name) + " 1 \"\" \"polecat " + roff(version) + "\"\n";
    out += ".SH NAME\n" + roff(name) + " \\- " +
           roff(command == nullptr ? "policy compiler for Kubernetes and Calico"
                                   : command->description) +
           "\n";
    out += synopsis(shown, call);
    if (command == nullptr)
        out += ".SH DESCRIPTION\n" + roff(program.description) + "\n.SH COMMANDS\n";
    for (const CommandInfo& each : shown.commands)
        out += ".TP\n" + bold(each.name) + "\n" + roff(each.description) + "\n";
    if (!shown.positionals.empty())
        out += ".SH ARGUMENTS\n";
    for (const OptionInfo& each : shown.positionals)
        out += positional_text(each);
    out += ".SH OPTIONS\n";
    for (const OptionInfo& each : shown.options)
        out += option_text(each);
    return out + footer_text(shown.footer) + see_also(program, command);
}

void add_man(CLI::App& app, int& exit_code) {
    auto name = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("man", "print the man page of a command");
    command->add_option("COMMAND", *name, "without one, the page of polecat itself");
    command->footer("Examples:\n  polecat man lint | man -l -\n"
                    "  polecat man > polecat.1");
    command->callback([&app, name, &exit_code] { exit_code = print_page(describe(app), *name); });
}

} // namespace polecat::cli
