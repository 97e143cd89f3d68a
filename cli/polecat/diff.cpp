#include <algorithm>
#include <filesystem>
#include <future>
#include <optional>

#include <fmt/format.h>

#include "cli/polecat/commands.h"
#include "cli/polecat/diff/print.h"
#include "driver/diff/picture.h"
#include "driver/diff/unseen.h"
#include "driver/input/input.h"
#include "driver/input/revision.h"
#include "driver/input/unread.h"
#include "driver/lint/proofs.h"
#include "passes/enforce_staged.h"
#include "runtime/git.h"
#include "support/kept.h"

namespace polecat::cli {

using namespace driver;

namespace {

struct DiffOptions {
    std::vector<std::string> what;
    InputOptions input;
    std::string format = "text", fail_on = "none", unknown_address = "depends";
    bool staged = false, prove = false;
    std::string smt_folder; ///< empty: queries are not written
};

[[noreturn]] void fail(const std::string& message) {
    throw CLI::ValidationError(message);
}

/// "main..branch", or "main...branch": since branch left main.
struct Revisions {
    std::string base, head;
};

std::optional<Revisions> revisions_of(const std::string& text) {
    const std::size_t dots = text.find("..");
    std::error_code error;
    if (dots == std::string::npos || std::filesystem::exists(text, error))
        return std::nullopt;
    const bool three = text.compare(dots, 3, "...") == 0;
    Revisions out{text.substr(0, dots), text.substr(dots + (three ? 3 : 2))};
    for (std::string* each : {&out.base, &out.head})
        if (each->empty())
            *each = "HEAD";
    if (three) {
        const auto common = runtime::git_merge_base(out.base, out.head);
        if (!common)
            fail(common.error());
        constexpr std::size_t kShown = 12; // as git shortens them; places name it
        out.base = common->substr(0, kShown);
    }
    return out;
}

Input input_of(const std::string& revision, const std::vector<std::string>& paths,
               const InputOptions& options) {
    auto input = read_revision(revision, paths, options);
    if (!input)
        fail(input.error());
    return std::move(*input);
}

bool wants_failure(const std::string& fail_on, const DiffReport& report) {
    if (fail_on == "bgp")
        return report.routing &&
               (!report.routing->diff.empty() || !report.routing->diff.not_compared.empty());
    const analyzer::Diff& diff = report.diff;
    using Kind = analyzer::ChangeKind;
    // What host endpoints' other hooks let through is not compared, nor what is between ends that
    // are not in the input, so it may be either.
    const bool either = !diff.other_hooks.empty() || !report.unseen.empty();
    const bool opened = either || diff.has(Kind::Opened) || diff.has(Kind::PerhapsOpen);
    const bool closed = either || diff.has(Kind::Closed) || diff.has(Kind::PerhapsShut);
    return (fail_on == "opened" && opened) || (fail_on == "closed" && closed) ||
           (fail_on == "any" && (opened || closed));
}

/// Two revisions are one word here, other than git has it.
void name_revisions(const std::vector<std::string>& what) {
    const std::string& base = what.front();
    std::error_code error;
    if (base == "-" || std::filesystem::exists(base, error))
        return;
    const bool both = what.size() > 1 && !std::filesystem::exists(what[1], error);
    fail(
        fmt::format("there is no file or folder `{0}`; revisions are one word, {0}..{1}, and paths "
                    "follow behind --",
                    base, both ? what[1] : "HEAD"));
}

Result<std::string> rendered(const std::string& format, const DiffReport& report,
                             const decision::LoweredCluster& head) {
    if (format == "json")
        return diff_json(report);
    if (format == "md")
        return diff_markdown(report);
    if (format == "dot")
        return backends::to_dot(diff_picture(report, head));
    if (format == "svg")
        return backends::to_svg(diff_picture(report, head));
    return diff_text(report);
}

bool is_empty(const Input& input) {
    const auto& found = input.diagnostics.list();
    return std::any_of(found.begin(), found.end(), [](const diag::Diagnostic& each) {
        return each.code == diag::Code::NoManifests;
    });
}

/// A side without manifests is one without policy: a change may bring the first, or take the last.
void allow_empty_side(Input& base, Input& head) {
    if (is_empty(base) == is_empty(head))
        return;
    for (Input* side : {&base, &head})
        side->diagnostics.keep_if(
            [](const diag::Diagnostic& each) { return each.code != diag::Code::NoManifests; });
}

int compare(const DiffOptions& options, Input& base, Input& head) {
    allow_empty_side(base, head);
    // A version may be broken altogether, and the other one mend it.
    if (is_unusable(base, false) || (&base != &head && is_unusable(head, false)))
        return kBadInput;
    const policy::Cluster& head_cluster =
        options.staged ? kept(passes::enforce_staged(head.cluster)) : head.cluster;
    // A version reads its cluster and nothing else, so both are made at once.
    const auto lowering = lower_options(options.unknown_address);
    auto base_version =
        std::async(std::launch::async, [&] { return passes::lower(base.cluster, lowering); });
    const auto& [head_policies, now] = kept(passes::lower(head_cluster, lowering));
    const auto& [base_policies, before] = kept(base_version.get());
    const bool prove = options.prove || !options.smt_folder.empty();
    const analyzer::Diff found = analyzer::diff(before, now, prove);
    DiffReport report{base,
                      head,
                      found,
                      diff_rows(found, now),
                      policy_changes(base_policies, head_policies),
                      {},
                      {},
                      routing_report(base, head)};
    report.unread = unread_lines(base, endpoints_in_doubt(base, before));
    if (&base != &head)
        for (std::string& line : unread_lines(head, endpoints_in_doubt(head, now)))
            if (std::find(report.unread.begin(), report.unread.end(), line) == report.unread.end())
                report.unread.push_back(std::move(line));
    if (options.staged) // these are enforced, not gone
        std::erase_if(report.policies.gone,
                      [](const std::string& name) { return name.starts_with("Staged"); });
    report.unseen = unseen_changes(report, {base.cluster, base_policies, before},
                                   {head_cluster, head_policies, now});
    if (prove)
        report.proof = prove_diff(before, now, found, options.smt_folder);
    const auto text = rendered(options.format, report, now);
    if (!text) {
        fmt::print(stderr, "polecat: {}\n", text.error());
        return kBadInput;
    }
    for (const std::string& line : report.unread)
        fmt::print(stderr, "polecat: {}\n", line);
    fmt::print("{}", *text);
    if (prove && (options.format == "svg" || options.format == "dot"))
        fmt::print(stderr, "{}\n", proof_text(*report.proof));
    return wants_failure(options.fail_on, report) ? kFindings : kGood;
}

int run(const DiffOptions& options) {
    if (options.what.empty())
        fail("name two folders, or revisions such as main..branch");
    if (const auto revisions = revisions_of(options.what.front())) {
        std::vector<std::string> paths(options.what.begin() + 1, options.what.end());
        if (paths.empty())
            paths = {"."};
        Input& base = kept(input_of(revisions->base, paths, options.input));
        Input& head = kept(input_of(revisions->head, paths, options.input));
        return compare(options, base, head);
    }
    name_revisions(options.what);
    if (options.staged && options.what.size() == 1) {
        Input input = read_input(options.what, options.input);
        return compare(options, input, input);
    }
    if (options.what.size() != 2)
        fail("name two folders or files, or one with --staged");
    Input& base = kept(read_input({options.what[0]}, options.input));
    Input& head = kept(read_input({options.what[1]}, options.input));
    return compare(options, base, head);
}

} // namespace

void add_diff(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<DiffOptions>();
    CLI::App* command =
        app.add_subcommand("diff", "which flows and routes does a change open and close?");
    command->add_option("BASE HEAD", options->what,
                        "two folders or files; or revisions of the git repository here, BASE..HEAD "
                        "(or BASE...HEAD), and -- PATH");
    add_input_options(*command, options->input);
    command
        ->add_option("--format", options->format, "text, json, md (for a pull request), svg or dot")
        ->check(CLI::IsMember({"text", "json", "md", "svg", "dot"}));
    command
        ->add_option(
            "--fail-on", options->fail_on,
            "exit with 1 where flows are opened, closed, any of both, or may be, also between "
            "pods that are not in the input; or where sessions, "
            "announcements or kernel routes change (bgp); none by default")
        ->check(CLI::IsMember({"opened", "closed", "any", "bgp", "none"}));
    command->add_flag(
        "--staged", options->staged,
        "take the staged policies of HEAD as enforced; with one folder, preview them");
    command->add_flag("--prove", options->prove,
                      "have Z3 check for every program which flows change");
    command->add_option("--emit-smt2", options->smt_folder,
                        "write the queries of --prove to this folder (implies it)");
    add_unknown_address(*command, options->unknown_address);
    command->footer("Examples:\n"
                    "  polecat diff old/ new/\n"
                    "  polecat diff main..feature --format md -- policies/\n"
                    "  polecat diff main...HEAD --fail-on opened\n"
                    "  polecat diff main...HEAD --fail-on bgp\n"
                    "  polecat diff --format svg old/ new/ > change.svg\n"
                    "  polecat diff --staged manifests/");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
