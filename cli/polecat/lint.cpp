#include <fmt/format.h>

#include "analyzer/lint/lint.h"
#include "cli/common/input.h"
#include "cli/polecat/commands.h"
#include "cli/polecat/proofs.h"
#include "support/diag/render.h"

namespace polecat::cli {

namespace {

struct LintOptions {
    std::vector<std::string> paths{"."};
    std::string format = "text";
    bool prove = false;
    std::string smt_folder; ///< empty: queries are not written
};

/// What loads can still be wrong.
void find_mistakes(Input& input, const LintOptions& options) {
    const policy::OrderedPolicies policies = passes::order_policies(input.cluster);
    const decision::LoweredCluster lowered = passes::lower(input.cluster, input.diagnostics);
    lint::Settings settings;
    if (options.prove || !options.smt_folder.empty())
        settings = settings_with_proofs(input.cluster, policies, lowered, options.smt_folder);
    lint::Context context(input.cluster, policies, lowered, settings);
    lint::run(context, input.diagnostics);
    input.diagnostics.sort();
}

int run(const LintOptions& options) {
    Input input = read_input(options.paths);
    if (!input.diagnostics.has_errors())
        find_mistakes(input, options);
    const auto& list = input.diagnostics.list();
    if (options.format == "json")
        fmt::print("{}", diag::render_json(list, input.sources));
    else if (options.format == "sarif")
        fmt::print("{}", diag::render_sarif(list, input.sources));
    else
        fmt::print("{}", diag::render_text(list, input.sources, {colour_on(false)}));
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
    command->add_option("--format", options->format, "text, json (one object a line) or sarif")
        ->check(CLI::IsMember({"text", "json", "sarif"}));
    command->add_flag("--prove", options->prove,
                      "have Z3 check every finding about rules that do nothing");
    command->add_option("--emit-smt2", options->smt_folder,
                        "write the queries of --prove to this folder (implies it)");
    command->footer("Examples:\n"
                    "  polecat lint policies/\n"
                    "  kubectl kustomize . | polecat lint -\n"
                    "  polecat lint --format sarif . > polecat.sarif");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
