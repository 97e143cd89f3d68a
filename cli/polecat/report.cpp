#include <algorithm>
#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "analyzer/lint/fold.h"
#include "cli/polecat/commands.h"
#include "cli/polecat/report/page.h"
#include "driver/input/unread.h"
#include "runtime/write_file.h"
#include "support/diag/render.h"

namespace polecat::cli {

using namespace driver;

namespace {

struct ReportCommand {
    std::vector<std::string> paths{"."};
    InputOptions input;
    std::string out = "polecat-report.html", title = "Network policy report", group_by = "auto";
    LintOptions steering;
};

Result<bool> write_page(const std::string& path, const std::string& page) {
    if (path != "-")
        return runtime::write_file(path, page);
    return std::fwrite(page.data(), 1, page.size(), stdout) == page.size();
}

/// The folder polecat runs in by its name, as "." says nothing to who reads the page elsewhere.
std::vector<std::string> named(std::vector<std::string> paths) {
    std::error_code error;
    const std::string here = std::filesystem::current_path(error).filename().string();
    if (!here.empty())
        std::replace(paths.begin(), paths.end(), std::string("."), here);
    return paths;
}

int run(const ReportCommand& command) {
    const auto grouping = grouping_named(command.group_by);
    Sources config_sources;
    diag::Diagnostics config_problems;
    LintConfig config = read_lint_config(command.steering.config, config_sources, config_problems);
    fmt::print(stderr, "{}",
               diag::render_text(config_problems.list(), config_sources, {colour_on(true)}));
    const auto problem = apply_options(command.steering, config);
    if (!grouping || problem || config_problems.has_errors()) {
        if (!grouping || problem)
            fmt::print(stderr, "polecat: {}\n", problem ? *problem : grouping.error());
        return kBadInput;
    }
    std::size_t excluded = 0;
    InputOptions reading = command.input;
    reading.config = command.steering.config;
    Input input = read_input(command.paths, reading, [&](const std::string& path) {
        const bool out = config.excludes(path);
        excluded += out ? 1 : 0;
        return out;
    });
    Checked checked = check_input(input, config);
    lint::fold(input.diagnostics);
    Report report = make_report(input, std::move(checked), *grouping);
    report.title = command.title;
    report.version = POLECAT_VERSION;
    report.paths = named(command.paths);
    report.excluded = excluded;
    const std::string page = report_page(report);
    if (const auto done = write_page(command.out, page); !done) {
        fmt::print(stderr, "polecat: {} cannot be written: {}\n", command.out, done.error());
        return kBadInput;
    }
    const auto& all = input.diagnostics;
    fmt::print(stderr, "errors: {}, warnings: {}, notes: {} -> {} ({} KB)\n",
               all.count(diag::Severity::Error), all.count(diag::Severity::Warning),
               all.count(diag::Severity::Note), command.out, page.size() / 1024 + 1);
    if (is_unusable(input, false)) // what is broken is on the page
        return kBadInput;
    return lint::fails(config.choice, all) ? kFindings : kGood;
}

} // namespace

void add_report(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<ReportCommand>();
    CLI::App* command = app.add_subcommand(
        "report", "write findings, map, connections and policies as one HTML page");
    command->add_option("PATH", options->paths, kPathsHelp);
    add_input_options(*command, options->input);
    command->add_option("-o,--output", options->out,
                        "the page; polecat-report.html by default, - for standard output");
    command->add_option("--title", options->title, "heading of the page");
    command->add_option("--group-by", options->group_by,
                        "what a box of the map is: workload, namespace, label:KEY or auto");
    command->add_option("--config", options->steering.config,
                        "configuration of lint; else .polecat.yaml of this folder or one above");
    command->add_option("--fail-on", options->steering.fail_on,
                        "exit 1 from this severity on: error, warning (default), note or never");
    command->footer("The page needs no network and no other file. It is written also where the\n"
                    "manifests have errors, and then says what is missing.\n\nExamples:\n"
                    "  polecat report manifests/ -o report.html\n"
                    "  polecat report --fail-on never --title \"Shop, production\" manifests/\n"
                    "  kubectl kustomize . | polecat report - -o report.html");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
