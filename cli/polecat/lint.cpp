#include <fmt/format.h>

#include "analyzer/lint/lint.h"
#include "cli/common/input.h"
#include "cli/polecat/commands.h"
#include "cli/polecat/report_options.h"
#include "support/diag/render.h"

namespace polecat::cli {

namespace {

struct LintOptions {
    std::vector<std::string> paths{"."};
    std::string format = "text";
};

/// What loads can still be wrong.
void find_mistakes(Input& input) {
    const policy::OrderedPolicies policies = passes::order_policies(input.cluster);
    const decision::LoweredCluster lowered = passes::lower(input.cluster, input.diagnostics);
    lint::Context context(input.cluster, policies, lowered, {});
    lint::run(context, input.diagnostics);
    input.diagnostics.sort();
}

int run(const LintOptions& options) {
    Input input = read_input(options.paths);
    if (!input.diagnostics.has_errors())
        find_mistakes(input);
    const auto& list = input.diagnostics.list();
    fmt::print("{}", diag::render(*diag::find_format(options.format), list, input.sources,
                                  {colour_on(false)}, report_options()));
    const std::size_t errors = input.diagnostics.count(diag::Severity::Error);
    const std::size_t warnings = input.diagnostics.count(diag::Severity::Warning);
    if (options.format == "text")
        fmt::print("{} file{} read: {} error{}, {} warning{}\n", input.sources.size(),
                   input.sources.size() == 1 ? "" : "s", errors, errors == 1 ? "" : "s", warnings,
                   warnings == 1 ? "" : "s");
    for (const diag::Diagnostic& each : list)
        if (each.code == diag::Code::UnreadableFile || each.code == diag::Code::NoManifests)
            return kBadInput;
    return errors + warnings == 0 ? kGood : kFindings;
}

} // namespace

void add_lint(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<LintOptions>();
    CLI::App* command = app.add_subcommand("lint", "report mistakes in manifests");
    command->add_option("PATH", options->paths, "files, folders, or - for standard input");
    command
        ->add_option("--format", options->format,
                     "how findings are printed; json is one object a line")
        ->check(CLI::IsMember(diag::format_names()));
    command->footer("Examples:\n"
                    "  polecat lint policies/\n"
                    "  kubectl kustomize . | polecat lint -\n"
                    "  polecat lint --format sarif . > polecat.sarif\n"
                    "  polecat lint --format github policies/   # annotations on a pull request");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
