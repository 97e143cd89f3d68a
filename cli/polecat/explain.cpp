#include <fmt/format.h>

#include "cli/polecat/commands.h"
#include "cli/polecat/program/pages.h"
#include "driver/input/input.h"

namespace polecat::cli {

using namespace driver;

namespace {

int run(const std::string& text) {
    const auto code = diag::find_code(text);
    if (!code) {
        std::vector<std::string_view> slugs;
        for (const diag::CodeInfo& row : diag::all_codes())
            slugs.push_back(row.slug);
        const auto near = diag::nearest(text, slugs);
        fmt::print(stderr, "polecat: there is no diagnostic `{}`{}\n", text,
                   near ? fmt::format("; did you mean `{}`?", *near)
                        : "; `polecat explain --list` shows all");
        return kBadInput;
    }
    fmt::print("{}", page_of(diag::label(*code)));
    return kGood;
}

int list() {
    for (const diag::CodeInfo& row : diag::all_codes())
        fmt::print("{}  {:<8} {}\n", diag::label(row.code), diag::to_string(row.severity),
                   row.slug);
    return kGood;
}

} // namespace

void add_explain(CLI::App& app, int& exit_code) {
    auto code = std::make_shared<std::string>();
    auto all = std::make_shared<bool>(false);
    CLI::App* command = app.add_subcommand("explain", "say what a diagnostic means");
    command->add_option("CODE", *code, "PC1002, 1002 or duplicate-key");
    command->add_flag("--list", *all, "name every diagnostic");
    command->footer("Examples:\n  polecat explain PC1002\n  polecat explain duplicate-key");
    command->callback([code, all, &exit_code] {
        if (!*all && code->empty())
            throw CLI::RequiredError("CODE");
        exit_code = *all ? list() : run(*code);
    });
}

} // namespace polecat::cli
