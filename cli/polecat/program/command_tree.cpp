#include "cli/polecat/program/command_tree.h"

namespace polecat::cli {

namespace {

/// CLI11 keeps the values of IsMember in the type name only: "TEXT:{text,json}".
std::vector<std::string> choices_of(const std::string& type) {
    const std::size_t open = type.find(":{");
    if (open == std::string::npos || !type.ends_with('}'))
        return {};
    return CLI::detail::split(type.substr(open + 2, type.size() - open - 3), ',');
}

OptionInfo describe(const CLI::Option& option) {
    OptionInfo out;
    if (option.get_positional()) {
        out.names.push_back(option.get_name(true, false));
    } else {
        for (const std::string& each : option.get_snames())
            out.names.push_back("-" + each);
        for (const std::string& each : option.get_lnames())
            out.names.push_back("--" + each);
    }
    const std::string type = option.get_type_name();
    out.choices = choices_of(type);
    out.type = type.substr(0, type.find(':'));
    out.description = option.get_description();
    out.takes_value = option.get_expected_min() > 0; // flags expect nothing
    out.repeats = out.takes_value && option.get_expected_max() > 1;
    out.required = option.get_required();
    return out;
}

} // namespace

CommandInfo describe(const CLI::App& app) {
    CommandInfo out{app.get_name(), app.get_description(), app.get_footer(), {}, {}, {}};
    for (const CLI::Option* each : app.get_options())
        if (each->get_positional())
            out.positionals.push_back(describe(*each));
        else if (!each->get_group().empty()) // no group: hidden
            out.options.push_back(describe(*each));
    for (const CLI::App* each : app.get_subcommands(nullptr))
        if (!each->get_name().empty() && !each->get_group().empty())
            out.commands.push_back(describe(*each));
    return out;
}

} // namespace polecat::cli
