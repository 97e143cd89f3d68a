#include <algorithm>

#include <fmt/format.h>

#include "analyzer/lint/fold.h"
#include "cli/polecat/commands.h"
#include "cli/polecat/program/report_options.h"
#include "driver/input/unread.h"
#include "driver/lint/fix.h"
#include "driver/lint/proofs.h"
#include "driver/lint/run.h"
#include "frontend/fixes.h"
#include "runtime/write_file.h"
#include "support/diag/digest.h"
#include "support/diag/notes.h"
#include "support/diag/render.h"
#include "support/diag/report.h"
#include "support/listed.h"
#include "support/parallel.h"
#include "support/unified_diff.h"

namespace polecat::cli {

using namespace driver;

namespace {

struct LintCommand {
    std::vector<std::string> paths{"."};
    InputOptions input;
    std::string format = "text";
    bool prove = false, fix = false, fix_dry_run = false, all = false;
    std::string smt_folder; ///< empty: queries are not written
    unsigned jobs = default_jobs();
    LintOptions steering;
};

/// The configuration with options over it; nothing when something is wrong, which is printed.
std::optional<LintConfig> config_of(const LintOptions& options) {
    Sources sources;
    diag::Diagnostics diagnostics;
    LintConfig config = read_lint_config(options.config, sources, diagnostics);
    diagnostics.keep_if([](diag::Diagnostic& each) {
        each.fixes.clear(); // --fix mends manifests only
        return true;
    });
    fmt::print(stderr, "{}", diag::render_text(diagnostics.list(), sources, {colour_on(true)}));
    if (diagnostics.has_errors())
        return std::nullopt;
    if (const auto problem = apply_options(options, config)) {
        fmt::print(stderr, "polecat: {}\n", *problem);
        return std::nullopt;
    }
    return config;
}

void print_summary(const Input& input, const Checked& checked, std::size_t excluded,
                   bool every_note) {
    const auto& list = input.diagnostics.list();
    fmt::print("{}{} read: {}, {}, {}",
               diag::rule_counts(every_note ? list : diag::listed_of(list, input.sources)),
               counted(input.sources.size() - input.passed_by.size(), "file"),
               counted(input.diagnostics.count(diag::Severity::Error), "error"),
               counted(input.diagnostics.count(diag::Severity::Warning), "warning"),
               counted(input.diagnostics.count(diag::Severity::Note), "note"));
    const auto with_fix = std::count_if(list.begin(), list.end(),
                                        [](const auto& each) { return !each.fixes.empty(); });
    if (with_fix != 0)
        fmt::print(", {} {} a fix (--fix)", with_fix, with_fix == 1 ? "has" : "have");
    if (checked.suppressed != 0)
        fmt::print(", {} suppressed", checked.suppressed);
    if (checked.known != 0)
        fmt::print(", {} in the baseline", checked.known);
    if (excluded != 0)
        fmt::print(", {} excluded", counted(excluded, "file"));
    fmt::print("\n");
}

/// False when a file could not be written, which is said.
bool write_files(Mended& mended) {
    std::vector<Mended::File> written;
    const std::size_t all = mended.files.size();
    for (Mended::File& each : mended.files) {
        const auto done = runtime::replace_file(each.path, each.before, each.after);
        if (done)
            written.push_back(std::move(each));
        else
            fmt::print(stderr, "polecat: {} is not written: {}\n", each.path, done.error());
    }
    mended.files = std::move(written);
    return mended.files.size() == all;
}

/// Mends what can be mended. `input` stays as it was for a dry run, else it is what is left. False
/// when that went wrong.
bool run_fixes(const LintCommand& command, const LintConfig& config, Input& input) {
    if (leaves_nothing(input.diagnostics))
        return true; // nothing is mended; the report says why
    if (input.rendered) {
        fmt::print(stderr, "polecat: what helm and kustomize made is not mended: run --fix without "
                           "--render\n");
        return false;
    }
    if (const std::string why = cannot_mend(input.sources); !why.empty()) {
        fmt::print(stderr, "polecat: {}\n", why);
        return false;
    }
    Mended mended = mend(input, config);
    const std::size_t left = input.diagnostics.list().size();
    for (const std::string& each : mended.refused)
        fmt::print(stderr, "polecat: {}\n", each);
    if (command.fix_dry_run) {
        const std::string root = report_options().root;
        for (const Mended::File& each : mended.files)
            fmt::print("{}",
                       unified_diff(diag::report_path(each.path, root), each.before, each.after));
        fmt::print(stderr, "would be: {}\n", mend_summary(mended, left));
        return true;
    }
    if (!write_files(mended))
        return false;
    fmt::print(stderr, "{}\n", mend_summary(mended, left));
    return true;
}

/// Instead of a report. Without the rules of lint it would be no baseline.
int write_baseline(const LintConfig& config, const Input& input, const Checked& checked) {
    if (!checked.baseline) {
        print_errors(input, false);
        fmt::print(stderr, "polecat: no baseline is written: errors of reading are never known\n");
        return kBadInput;
    }
    const auto done = runtime::write_file(config.write_baseline, checked.baseline->text());
    if (!done) {
        fmt::print(stderr, "polecat: {} is not written: {}\n", config.write_baseline, done.error());
        return kBadInput;
    }
    fmt::print("{} written to {}\n", counted(checked.baseline->size(), "finding"),
               config.write_baseline);
    return kGood;
}

/// Whether somebody asked for notes: those that most people mean so are shown, too.
bool wants_every_note(const LintCommand& command, const lint::Choice& choice) {
    return command.all || !choice.only.empty() || choice.fail_on == diag::Severity::Note;
}

void print_report(const LintCommand& command, const lint::Choice& choice, const Input& input,
                  const Checked& checked, std::size_t excluded) {
    const auto& list = input.diagnostics.list();
    const bool every_note = wants_every_note(command, choice);
    if (command.format == "text" && !command.all)
        fmt::print("{}", diag::render_digest(list, input.sources, {colour_on(false)}, every_note));
    else if (command.format == "github" && !every_note)
        fmt::print("{}{}",
                   diag::render_github(diag::listed_of(list, input.sources), input.sources,
                                       report_options()),
                   diag::github_notice(diag::closing_lines(list, input.sources)));
    else
        fmt::print("{}", diag::render(*diag::find_format(command.format), list, input.sources,
                                      {colour_on(false)}, report_options()));
    if (command.format == "text")
        print_summary(input, checked, excluded, every_note);
}

int run(const LintCommand& command) {
    const auto config = config_of(command.steering);
    if (!config)
        return kBadInput;
    std::size_t excluded = 0;
    InputOptions reading = command.input;
    reading.config = command.steering.config;
    reading.variants = frontend::Variants::Last;
    Input input = read_input(command.paths, reading, [&](const std::string& path) {
        if ((config->baseline && config->baseline->is(path)) ||
            (!config->write_baseline.empty() && Baseline(config->write_baseline).is(path)))
            return true; // no manifest
        const bool out = config->excludes(path);
        excluded += out ? 1 : 0;
        return out;
    });
    Prepare prepare;
    if (command.prove || !command.smt_folder.empty())
        prepare = [&](const auto& policies, const auto& lowered, lint::Settings& settings) {
            add_proofs(input.cluster, policies, lowered, command.smt_folder, command.jobs,
                       settings);
        };
    const Checked checked = check_input(input, *config, prepare);
    if (!config->write_baseline.empty())
        return write_baseline(*config, input, checked);
    const bool fails = lint::fails(config->choice, input.diagnostics);
    if ((command.fix || command.fix_dry_run) && !run_fixes(command, *config, input))
        return kBadInput;
    if (!command.all)
        lint::fold(input.diagnostics);
    frontend::place_additions(input.diagnostics, input.sources);
    if (!command.fix_dry_run || leaves_nothing(input.diagnostics))
        print_report(command, config->choice, input, checked, excluded);
    if (leaves_nothing(input.diagnostics))
        return kBadInput;
    if (command.fix_dry_run)
        return fails ? kFindings : kGood;
    return lint::fails(config->choice, input.diagnostics) ? kFindings : kGood;
}

} // namespace

void add_lint(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<LintCommand>();
    LintOptions& steering = options->steering;
    CLI::App* command = app.add_subcommand("lint", "report mistakes in manifests");
    command->add_option("PATH", options->paths, kPathsHelp);
    add_input_options(*command, options->input);
    command
        ->add_option("--format", options->format,
                     "how findings are printed; json is one object a line")
        ->check(CLI::IsMember(diag::format_names()));
    command->add_flag("--all", options->all,
                      "every finding by file and line; else equal ones stand once, what many files "
                      "share is one finding, and what to mend first comes first");
    command->add_flag("--prove", options->prove,
                      "have Z3 check every finding about rules that do nothing");
    command->add_option("--emit-smt2", options->smt_folder,
                        "write the queries of --prove to this folder (implies it)");
    command
        ->add_option("--jobs", options->jobs,
                     "threads that --prove uses; as many as the machine runs at once by default")
        ->check(CLI::Range(1u, 1024u));
    CLI::Option* fix = command->add_flag(
        "--fix", options->fix, "write the fixes that findings carry; report what is left");
    CLI::Option* dry_run = command->add_flag("--fix-dry-run", options->fix_dry_run,
                                             "print the fixes as a patch; write nothing");
    for (CLI::Option* each : {fix, dry_run})
        each->excludes("--prove")->excludes("--emit-smt2");
    fix->excludes(dry_run);
    CLI::Option* baseline =
        command->add_option("--baseline", steering.baseline,
                            "findings of this file are known: not reported, not counted");
    command
        ->add_option("--write-baseline", steering.write_baseline,
                     "write what is found to this file, for --baseline")
        ->excludes(baseline)
        ->excludes(fix)
        ->excludes(dry_run);
    command->add_option("--config", steering.config,
                        "configuration; else .polecat.yaml of this folder or one above");
    command->add_option("--fail-on", steering.fail_on,
                        "exit 1 from this severity on: error, warning (default), note or never");
    command
        ->add_option("--rule", steering.rules,
                     "RULE=SEVERITY: error, warning, note or off; may stand several times")
        ->allow_extra_args(false);
    command
        ->add_option("--only", steering.only,
                     "report this rule only (and errors of reading); may stand several times")
        ->allow_extra_args(false);
    command->add_option("--dataplane", steering.dataplane,
                        "what enforces the policy: iptables, nftables, bpf or polecat");
    command->add_option("--calico-version", steering.calico_version,
                        "release of Calico that enforces the policy; 3.32 by default");
    command->footer("Examples:\n"
                    "  polecat lint policies/\n"
                    "  kubectl kustomize . | polecat lint -\n"
                    "  polecat lint --format sarif . > polecat.sarif\n"
                    "  polecat lint --fix-dry-run policies/ | git apply\n"
                    "  polecat lint --format github policies/   # annotations on a pull request\n"
                    "  polecat lint --fail-on error --rule no-default-deny-namespace=off .");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
