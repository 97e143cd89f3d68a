#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "cli/polecat/commands.h"
#include "cli/polecat/diff/print.h"
#include "cli/polecat/diff/rules.h"
#include "driver/diff/picture.h"
#include "driver/input/input.h"
#include "driver/input/revision.h"
#include "driver/input/unread.h"
#include "driver/rollout/links.h"
#include "passes/enforce_staged.h"
#include "runtime/git.h"
#include "support/kept.h"

namespace polecat::cli {

using namespace driver;

namespace {

struct DiffCommand {
    std::vector<std::string> what;
    InputOptions input;
    std::string format = "text", fail_on = "none", unknown_address = "depends";
    DiffOptions how;
    bool on_nodes = false;
    DiffRulesOptions rules;
    std::string target; ///< of rules; empty: not given
};

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
            wrong_usage(common.error());
        constexpr std::size_t kShown = 12; // as git shortens them; places name it
        out.base = common->substr(0, kShown);
    }
    return out;
}

Input input_of(const std::string& revision, const std::vector<std::string>& paths,
               const InputOptions& options, yaml::EarlierDocuments& earlier) {
    auto input = read_revision(revision, paths, options, earlier);
    if (!input)
        wrong_usage(input.error());
    return std::move(*input);
}

struct Versions {
    Input &base, &head;
};

Versions versions_of(const Revisions& revisions, const std::vector<std::string>& paths,
                     const InputOptions& options) {
    yaml::EarlierDocuments earlier;
    Input& base = kept(input_of(revisions.base, paths, options, earlier));
    return {base, kept(input_of(revisions.head, paths, options, earlier))};
}

Versions versions_of(const std::string& base_path, const std::string& head_path,
                     const InputOptions& options) {
    yaml::EarlierDocuments earlier;
    Input& base = kept(read_version({base_path}, options, earlier));
    return {base, kept(read_version({head_path}, options, earlier))};
}

/// `all_gone`: with the last policy.
bool wants_failure(const std::string& fail_on, const DiffReport& report, bool all_gone) {
    if (fail_on == "bgp")
        return report.routing &&
               (!report.routing->diff.empty() || !report.routing->diff.not_compared.empty());
    const analyzer::Diff& diff = report.diff;
    using Kind = analyzer::ChangeKind;
    // What host endpoints' other hooks let through is not compared, nor what is between ends that
    // are not in the input, so it may be either.
    const bool either = !diff.other_hooks.empty() || !report.unseen.empty();
    const bool opened = either || all_gone || diff.has(Kind::Opened) || diff.has(Kind::PerhapsOpen);
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
    wrong_usage(
        fmt::format("there is no file or folder `{0}`; revisions are one word, {0}..{1}, and paths "
                    "follow behind --",
                    base, both ? what[1] : "HEAD"));
}

Result<std::string> rendered(const std::string& format, const DiffReport& report) {
    if (format == "json")
        return diff_json(report);
    if (format == "md")
        return diff_markdown(report);
    if (format == "dot")
        return backends::to_dot(diff_picture(report, report.head.cluster()));
    if (format == "svg")
        return backends::to_svg(diff_picture(report, report.head.cluster()));
    return diff_text(report);
}

bool is_empty(const Input& input) {
    const auto& found = input.diagnostics.list();
    return std::any_of(found.begin(), found.end(), [](const diag::Diagnostic& each) {
        return each.code == diag::Code::NoManifests;
    });
}

bool has_policies(const policy::Cluster& cluster) {
    return !cluster.policies.empty() || !cluster.kubernetes_policies.empty() ||
           !cluster.cluster_policies.empty();
}

/// A side without manifests is one without policy: a change may bring the first, or take the last.
/// True: it takes the last, and with them the endpoints whose flows could be compared.
bool allow_empty_side(Input& base, Input& head) {
    if (is_empty(base) == is_empty(head))
        return false;
    const bool head_is_empty = is_empty(head);
    for (Input* side : {&base, &head})
        side->diagnostics.keep_if(
            [](const diag::Diagnostic& each) { return each.code != diag::Code::NoManifests; });
    fmt::print(stderr, "polecat: {} has no manifests: it is compared as a version without any{}\n",
               head_is_empty ? "the second version" : "the first version",
               head_is_empty && has_policies(base.cluster)
                   ? ", so what its policies kept shut counts as opened"
                   : "");
    return head_is_empty && has_policies(base.cluster);
}

int compare(const DiffCommand& options, Input& base, Input& head) {
    const bool all_gone = allow_empty_side(base, head);
    // A version may be broken altogether, and the other one mend it.
    if (is_unusable(base, false) || (&base != &head && is_unusable(head, false)))
        return kBadInput;
    const auto lowering = lower_options(options.unknown_address);
    Session& before = *kept(std::make_unique<Session>(base, lowering));
    Session& now =
        *kept(options.how.staged
                  ? std::make_unique<Session>(head, passes::enforce_staged(head.cluster), lowering)
                  : std::make_unique<Session>(head, lowering));
    DiffReport report = diff_report(before, now, options.how);
    if (options.on_nodes && (base.diagnostics.has_errors() || head.diagnostics.has_errors()))
        wrong_usage(
            "--on-nodes compiles both versions, and one has errors (polecat lint tells them)");
    if (options.on_nodes) {
        RuleLinks links(before, now);
        for (DiffRow& row : report.rows)
            row.links = links.of(row);
    }
    const auto text = rendered(options.format, report);
    if (!text) {
        fmt::print(stderr, "polecat: {}\n", text.error());
        return kBadInput;
    }
    for (const std::string& line : report.unread)
        fmt::print(stderr, "polecat: {}\n", line);
    fmt::print("{}", *text);
    if (report.proof && (options.format == "svg" || options.format == "dot"))
        fmt::print(stderr, "{}\n", proof_text(*report.proof));
    return wants_failure(options.fail_on, report, all_gone) ? kFindings : kGood;
}

/// Options that mean something only with --rules, or only without.
void check_rules_options(const DiffCommand& options) {
    const bool limits = options.fail_on.find('=') != std::string::npos;
    if (!options.rules.on &&
        (limits || !options.rules.node.empty() || !options.rules.numbers.empty() ||
         !options.rules.key.empty() || !options.target.empty()))
        wrong_usage("--node, --target, --base, --key and limits of --fail-on are of --rules");
    if (options.on_nodes && (options.rules.on || options.how.staged))
        wrong_usage("--on-nodes is of flows, by what nodes run: not with --rules or --staged");
    if (options.rules.on &&
        (options.how.staged || options.how.prove || !options.how.smt_folder.empty()))
        wrong_usage(
            "--rules is of what nodes run: no staged policy is enforced there, and nothing is "
            "proved");
}

int run(const DiffCommand& options) {
    check_rules_options(options);
    if (options.what.empty())
        wrong_usage("name two folders, or revisions such as main..branch");
    if (const auto revisions = revisions_of(options.what.front())) {
        std::vector<std::string> paths(options.what.begin() + 1, options.what.end());
        if (paths.empty())
            paths = {"."};
        InputOptions how = options.input;
        if (options.rules.on)
            how.variants = frontend::Variants::Refused; // as compile has it
        const auto [base, head] = versions_of(*revisions, paths, how);
        if (options.rules.on)
            return diff_rules({revisions->base, &base}, {revisions->head, &head}, options.rules,
                              how, options.format, options.fail_on);
        return compare(options, base, head);
    }
    name_revisions(options.what);
    if (options.how.staged && options.what.size() == 1) {
        Input input = read_input(options.what, options.input);
        return compare(options, input, input);
    }
    if (options.what.size() != 2)
        wrong_usage("name two folders or files, or one with --staged");
    if (options.rules.on)
        return diff_rules({options.what[0]}, {options.what[1]}, options.rules, options.input,
                          options.format, options.fail_on);
    const auto [base, head] = versions_of(options.what[0], options.what[1], options.input);
    return compare(options, base, head);
}

} // namespace

void add_diff(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<DiffCommand>();
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
            "announcements or kernel routes change (bgp); none by default. With --rules: limits "
            "for what one node loads and for how many do, elements=N,rules=N,nodes=N, or any")
        ->check([](const std::string& value) {
            const bool known = value == "opened" || value == "closed" || value == "any" ||
                               value == "bgp" || value == "none";
            return known || value.find('=') != std::string::npos
                       ? std::string()
                       : "must be opened, closed, any, bgp or none; with --rules limits such as "
                         "elements=1000,nodes=10";
        });
    command->add_flag("--on-nodes", options->on_nodes,
                      "name the programs of compiled rules that make each change, and their nodes");
    command->add_flag(
        "--rules", options->rules.on,
        "what a rollout of HEAD does to the rules of nodes that run BASE, and why; "
        "either may be a folder that compile wrote, or the listing of a node's table");
    command->add_option("--node", options->rules.node, "with --rules: one node, in full");
    command
        ->add_option(
            "--target", options->target,
            "with --rules: the rules of nftables or iptables, or of the BPF classifier (bpf)")
        ->check(CLI::IsMember({"nftables", "iptables", "bpf"}));
    command->add_option("--key", options->rules.key,
                        "with --rules: a file with the public key that bundles must be signed "
                        "with");
    command->add_option("--base", options->rules.numbers,
                        "with --rules, where BASE is a listing: the compiled folder that the node "
                        "was loaded from");
    command->add_flag(
        "--staged", options->how.staged,
        "take the staged policies of HEAD as enforced; with one folder, preview them");
    command->add_flag("--prove", options->how.prove,
                      "have Z3 check for every program which flows change");
    command->add_option("--emit-smt2", options->how.smt_folder,
                        "write the queries of --prove to this folder (implies it)");
    add_unknown_address(*command, options->unknown_address);
    command->footer("Examples:\n"
                    "  polecat diff old/ new/\n"
                    "  polecat diff main..feature --format md -- policies/\n"
                    "  polecat diff main...HEAD --fail-on opened\n"
                    "  polecat diff main...HEAD --fail-on bgp\n"
                    "  polecat diff --format svg old/ new/ > change.svg\n"
                    "  polecat diff --staged manifests/\n"
                    "  polecat diff --rules main..feature --fail-on elements=5000\n"
                    "  polecat diff --rules compiled manifests/ --node node1");
    command->callback([options, &exit_code] {
        if (!options->target.empty())
            options->rules.target = options->target;
        exit_code = run(*options);
    });
}

} // namespace polecat::cli
