#include "cli/polecat/diff/rules.h"

#include <filesystem>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/polecat/bundle/refused.h"
#include "cli/polecat/commands.h"
#include "cli/polecat/diff/rules_print.h"
#include "driver/compile/folder.h"
#include "driver/compile/folder_kind.h"
#include "driver/input/unread.h"
#include "driver/rollout/limits.h"
#include "driver/rollout/rollout.h"
#include "support/diag/render.h"
#include "support/read_file.h"

namespace polecat::cli {

using namespace driver;
namespace fs = std::filesystem;

namespace {

/// Whether a file is rules of nftables and no manifest: by its first line that is no comment. What
/// `nft -j` lists is taken for one, to be refused with the reason.
bool is_listing(const std::string& path) {
    const auto text = fs::is_regular_file(path) ? read_file(path) : Result<std::string>(Error{""});
    if (!text)
        return false;
    std::istringstream lines(*text);
    std::string line;
    while (std::getline(lines, line) && (line.empty() || line.starts_with('#')))
        ;
    return line.starts_with("table ") || line.starts_with("delete element inet ") ||
           line.starts_with("{\"nftables\":");
}

/// For which target a folder is what one node lists, and no manifests; Nothing: it is none.
FolderKind kind_of_listing(const std::string& folder) {
    const auto has = [&](const char* file) { return fs::is_regular_file(fs::path(folder) / file); };
    if (has(kRulesetFile))
        return FolderKind::Nftables;
    if (has(kTablesFile))
        return FolderKind::Bpf;
    return has("sets.ipset") && has("rules.v4") ? FolderKind::Iptables : FolderKind::Nothing;
}

Result<std::unique_ptr<RulesSide>> listed_side(const std::string& path, FolderKind kind,
                                               const DiffRulesOptions& options) {
    if (options.node.empty() || options.target != target_of(kind))
        return Error{fmt::format("{} has what one node lists of {}: name the node with --node, and "
                                 "--target {}",
                                 path, target_of(kind), target_of(kind))};
    switch (kind) {
    case FolderKind::Bpf:
        return table_listing_side(path, options.node, options.numbers);
    case FolderKind::Iptables:
        return filter_listing_side(path, options.node);
    default:
        return listing_side(path, options.node, options.numbers);
    }
}

/// A side with what it is made from.
struct Opened {
    std::unique_ptr<Input> input; ///< where the side is made of a path to manifests
    std::unique_ptr<RulesSide> side;
    bool of_listing = false, of_bundle = false;
};

Opened open(const DiffRulesSide& what, const DiffRulesOptions& options, const InputOptions& how,
            diag::Diagnostics* diagnostics) {
    Opened out;
    const auto taken = [&](Result<std::unique_ptr<RulesSide>> side) {
        if (!side)
            wrong_usage(side.error());
        out.side = std::move(*side);
    };
    if (what.input != nullptr)
        out.side = manifests_side(what.name, *what.input, diagnostics);
    else if (folder_kind(what.name) == FolderKind::Bundle) {
        out.of_bundle = true;
        out.side = of_bundle(what.name, [&] { return packed_side(what.name, options.key); });
    } else if (folder_kind(what.name) != FolderKind::Nothing) {
        if (const std::string why = unfit(what.name, kind_of_target(options.target)); !why.empty())
            wrong_usage(why);
        taken(compiled_side(what.name, options.target == "iptables"));
    } else if (const FolderKind kind =
                   is_listing(what.name) ? FolderKind::Nftables : kind_of_listing(what.name);
               kind != FolderKind::Nothing) {
        out.of_listing = kind != FolderKind::Iptables; // whose names are digests
        taken(listed_side(what.name, kind, options));
    } else {
        out.input = std::make_unique<Input>(read_input({what.name}, how));
        out.side = manifests_side(what.name, *out.input, diagnostics);
    }
    return out;
}

/// Whether its manifests have errors; prints them, and warnings of HEAD.
bool is_broken(const RulesSide& side, bool warnings) {
    return side.input() != nullptr && print_errors(*side.input(), warnings);
}

} // namespace

int diff_rules(const DiffRulesSide& base, const DiffRulesSide& head,
               const DiffRulesOptions& options, const InputOptions& input,
               const std::string& format, const std::string& fail_on) {
    if (format != "text" && format != "json" && format != "md")
        wrong_usage("--format: rules are told as text, json or md");
    const auto limits = parse_limits(fail_on);
    if (!limits)
        wrong_usage("--fail-on: " + limits.error());
    InputOptions how = input;
    how.variants = frontend::Variants::Refused; // as compile has it
    diag::Diagnostics diagnostics;
    const Opened was = open(base, options, how, nullptr),
                 is = open(head, options, how, &diagnostics);
    if (!options.numbers.empty() && !was.of_listing && !is.of_listing)
        wrong_usage("--base says what numbers of a listing mean, and neither side is one");
    if (!options.key.empty() && !was.of_bundle && !is.of_bundle)
        wrong_usage("--key is of bundles, and neither side is one");
    const bool broken = is_broken(*was.side, false);
    if (is_broken(*is.side, true) || broken)
        return kBadInput;
    if (!options.node.empty() && !was.side->nodes().contains(options.node) &&
        !is.side->nodes().contains(options.node))
        wrong_usage("--node: neither has a node `" + options.node + "` with endpoints");
    const Rollout rollout = of_bundle(base.name, [&] {
        return roll_out(*was.side, *is.side, {options.node, options.target});
    });
    if (rollout.nodes.empty())
        wrong_usage(
            "no endpoint is on a node (spec.nodeName of pods, spec.node of host endpoints)");
    if (is.side->input() != nullptr) {
        diagnostics.sort();
        fmt::print(
            stderr, "{}",
            diag::render_text(diagnostics.list(), is.side->input()->sources, {colour_on(true)}));
    }
    const auto over = over_limits(rollout, *limits);
    fmt::print("{}", format == "json" ? rollout_json(rollout, over)
                     : format == "md" ? rollout_markdown(rollout, over)
                                      : rollout_text(rollout, over, !options.node.empty()));
    if (rollout.count(NodeRollout::State::NotTold) != 0)
        return kBadInput;
    return over.empty() ? kGood : kFindings;
}

} // namespace polecat::cli
