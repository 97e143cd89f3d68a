#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "artefact/bundle/bundle.h"
#include "backends/bundle/pack.h"
#include "backends/iptables/iptables.h"
#include "backends/nftables/nftables.h"
#include "backends/node/felix_keys.h"
#include "cli/polecat/bgp/input.h"
#include "cli/polecat/bundle/compile.h"
#include "cli/polecat/bundle/refused.h"
#include "cli/polecat/bundle/watch.h"
#include "cli/polecat/commands.h"
#include "driver/bundle/folder.h"
#include "driver/compile/bird.h"
#include "driver/compile/compilation.h"
#include "driver/compile/emit_forms.h"
#include "driver/compile/folder.h"
#include "driver/compile/folder_kind.h"
#include "driver/compile/plan.h"
#include "driver/compile/unfinished.h"
#include "driver/session.h"
#include "support/diag/render.h"
#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

namespace {

namespace fs = std::filesystem;

struct CompileOptions {
    std::vector<std::string> paths{"."};
    InputOptions input;
    std::string target = "nftables";
    std::string emit;
    std::string node;
    std::string out = "compiled";
    std::string base, key;
    std::string plan_from; ///< set: steps are printed, or written where `out` is named
    bool names_out = false;
    backends::NodeOptions node_options;
    std::optional<unsigned> flow_mark_bit;
    RoutingFlags routing; ///< of bird
    bool origins = true;  ///< of bird
    bool watch = false;   ///< of a bundle
};

void tell(diag::Diagnostics& diagnostics, const Sources& sources) {
    diagnostics.sort();
    fmt::print(stderr, "{}", diag::render_text(diagnostics.list(), sources, {colour_on(true)}));
}

/// What an earlier compile numbered; nothing where none is named.
backends::Numbers base_numbers(const std::string& folder) {
    if (folder.empty())
        return {};
    auto numbers = numbers_in(folder);
    if (!numbers)
        throw CLI::ValidationError("--base", numbers.error());
    return std::move(*numbers);
}

/// A folder that is planned from is the base as well, unless another is named; and of one node, the
/// folder that the others' rules stay in.
std::string base_of(const CompileOptions& options) {
    if (!options.base.empty())
        return options.base;
    if (fs::is_directory(options.plan_from))
        return options.plan_from;
    const bool beside_others = !options.node.empty() && options.plan_from.empty() &&
                               fs::exists(fs::path(options.out) / kNumbersFile);
    return beside_others ? options.out : "";
}

/// Steps one after the other, each with what it does.
void print_plan(const PlanTexts& plan) {
    fmt::print("{}", plan.before);
    for (const std::string& step : plan.steps)
        fmt::print("{}", step);
    fmt::print("{}", plan.after);
}

std::string list(const std::set<std::string>& names) {
    std::string out;
    for (const std::string& name : names)
        out += (out.empty() ? "" : ", ") + name;
    return out.empty() ? "none" : out;
}

class Compiler {
  public:
    Compiler(const CompileOptions& options, const Input& input,
             const decision::LoweredCluster& cluster)
        : options_(options), input_(input), cluster_(cluster), base_(numbers_before(options)),
          compiled_(cluster, input.sources, base_, options.node_options) {}

    int run() {
        const std::set<std::string> nodes = nodes_asked_for();
        report_unplaced(cluster_, diagnostics_);
        backends::report_felix_keys(input_.cluster, diagnostics_);
        if (!diagnostics_.has_errors() && !nodes.empty())
            compile_all(nodes);
        tell(diagnostics_, input_.sources);
        if (diagnostics_.has_errors())
            return kFindings;
        if (!nodes.empty())
            return kGood;
        fmt::print(stderr,
                   "polecat: nothing was written: no endpoint is on a node (spec.nodeName of "
                   "pods, spec.node of host endpoints); compile takes the pods of a cluster, "
                   "not what creates them\n");
        return kFindings;
    }

  private:
    /// A node that is refused does not keep the others back, and what it has from before stays: the
    /// folder says that it is no longer what the manifests say.
    void compile_all(const std::set<std::string>& nodes) {
        if (!options_.plan_from.empty()) {
            for (const std::string& node : nodes)
                compile(node);
            return;
        }
        auto unfinished = UnfinishedNodes::begin(options_.out, nodes);
        if (!unfinished)
            return report_unwritten(kUnfinishedFile, unfinished.error());
        bool whole = write_common();
        for (const std::string& node : nodes) {
            const std::size_t told = diagnostics_.list().size();
            if (compile(node))
                unfinished->written(node);
            else
                unfinished->refused(node, why_since(told));
        }
        if (!is_iptables())
            whole = write(kNumbersFile, backends::print(numbers())) && whole;
        if (!whole)
            return; // of none can be said that all of it was written
        if (const auto done = unfinished->write(); !done)
            report_unwritten(kUnfinishedFile, done.error());
    }
    std::string why_since(std::size_t told) const {
        std::string out;
        for (std::size_t i = told; i < diagnostics_.list().size(); ++i)
            if (const diag::Diagnostic& each = diagnostics_.list()[i];
                each.severity == diag::Severity::Error)
                out += (out.empty() ? "" : "; ") + diag::label(each.code) + " " + each.message;
        return out;
    }

    std::set<std::string> nodes_asked_for() {
        // The last pod of a node may have gone: its rules then let nothing in. Manifests without
        // any pod on a node say nothing of nodes.
        std::set<std::string> nodes = compiled_.nodes();
        if (!options_.plan_from.empty())
            nodes.merge(nodes_in(options_.plan_from));
        else if (!nodes.empty())
            nodes.merge(nodes_in(options_.out));
        if (!options_.node.empty()) {
            if (!nodes.contains(options_.node))
                diagnostics_.report(diag::Code::NoSuchNode, Span{}, {options_.node})
                    .with_hint("nodes with endpoints: " + list(nodes));
            nodes = {options_.node};
        }
        if (nodes.size() > 1 && fs::is_regular_file(options_.plan_from))
            throw CLI::ValidationError("--plan-from", options_.plan_from +
                                                          " has the rules of one node: name it "
                                                          "with --node");
        return nodes;
    }

    static backends::Numbers numbers_before(const CompileOptions& options) {
        return options.target == "iptables" ? backends::Numbers{} : base_numbers(base_of(options));
    }
    /// Of one node: with those of programs that other nodes have.
    backends::Numbers numbers() const {
        backends::Numbers out = compiled_.numbers();
        if (!options_.node.empty())
            out.programs.insert(base_.programs.begin(), base_.programs.end());
        return out;
    }

    bool is_iptables() const { return options_.target == "iptables"; }
    bool is_bpf() const { return options_.target == "bpf"; }

    bool write_common() {
        if (is_iptables() || is_bpf())
            return write(kHooksFile, iptables::filter_hooks());
        return write(kGenerationsFile,
                     backends::free_generations(options_.node_options.flow_mark_bit));
    }

    /// Whether all that it has was written.
    bool compile(const std::string& node) {
        if (is_iptables()) {
            const auto image = compiled_.filter_image(node, diagnostics_);
            return image && write(node, compiled_.files(node, *image));
        }
        const auto image = compiled_.image(node, diagnostics_);
        if (!image)
            return false;
        if (is_bpf()) {
            const auto files = compiled_.table_files(node, *image, diagnostics_);
            return files && write(node, *files);
        }
        const NodeFiles files = compiled_.files(node, *image);
        if (options_.plan_from.empty())
            return write(node, files);
        give_plan(node, *image);
        return true;
    }

    void give_plan(const std::string& node, const backends::NodeImage& image) {
        const auto plan = plan_from(options_.plan_from, node, image);
        if (!plan)
            throw CLI::ValidationError("--plan-from", plan.error());
        const PlanTexts texts = texts_of(*plan, image, node);
        if (!options_.names_out)
            return print_plan(texts);
        const auto written = write_plan(options_.out, node, texts);
        if (written)
            fmt::print("{}: {} -> {}\n", node, counted(texts.steps.size(), "step"), *written);
        else
            diagnostics_.report(diag::Code::UnreadableFile, Span{},
                                {options_.out, written.error()});
    }

    bool write(const std::string& node, const NodeFiles& files) {
        const fs::path folder = fs::path("nodes") / node;
        remove_former(options_.out, node, files.texts);
        for (const auto& [name, text] : files.texts)
            if (!write(folder / name, text))
                return false;
        fmt::print("{}: {}, reads back equal -> {}\n", node, files.summary(),
                   (fs::path(options_.out) / folder).string());
        return true;
    }

    bool write(const fs::path& path, const std::string& text) {
        const auto done = write_in_folder(options_.out, path.string(), text);
        if (!done)
            report_unwritten(path, done.error());
        return done.ok();
    }
    void report_unwritten(const fs::path& path, const std::string& why) {
        diagnostics_.report(diag::Code::UnreadableFile, Span{},
                            {(fs::path(options_.out) / path).string(), why});
    }

    const CompileOptions& options_;
    const Input& input_;
    const decision::LoweredCluster& cluster_;
    const backends::Numbers base_;
    Compilation compiled_;
    diag::Diagnostics diagnostics_;
};

/// Nothing is written unless every node can be.
int compile_bird(const CompileOptions& options, Input& input) {
    diag::Diagnostics diagnostics;
    const BirdCompilation compiled(input, options.routing, options.node, diagnostics);
    tell(diagnostics, input.sources);
    if (diagnostics.has_errors())
        return kFindings;
    for (const routing::NodeIndex node : compiled.nodes()) {
        const BirdFile file = compiled.file(node, options.origins);
        const fs::path path = fs::path("nodes") / file.node / kBirdFile;
        const std::string whole = (fs::path(options.out) / path).string();
        if (const auto done = write_in_folder(options.out, path.string(), file.text); !done) {
            fmt::print(stderr, "polecat: cannot write {}: {}\n", whole, done.error());
            return kBadInput;
        }
        fmt::print("{}: {} -> {}\n", file.node, file.summary, whole);
    }
    return kGood;
}

/// What an earlier bundle numbered, of either kind.
bundle::Base bundle_base(const CompileOptions& options) {
    if (!options.base.empty() && is_bundle(options.base))
        return of_bundle(options.base, [&] {
            return bundle::base_of(open_bundle(options.base, options.key).bundle.all());
        });
    if (!options.key.empty())
        throw CLI::ValidationError("--key", "it is of the bundle that --base names");
    return {base_numbers(options.base), {}};
}

/// Options that only nftables has.
void refuse_for_others(const CompileOptions& options) {
    const auto refuse = [&](bool given, const char* option) {
        if (given && (options.target == "iptables" || options.target == "bpf"))
            throw CLI::ValidationError(option, "only --target nftables has it");
    };
    const auto refuse_for_bundle = [&](bool given, const char* option) {
        if (given && options.target == "bundle")
            throw CLI::ValidationError(option, "a bundle is of all nodes and targets: give it to "
                                               "`polecat bundle extract`");
    };
    if (!options.key.empty() && options.target != "bundle")
        throw CLI::ValidationError("--key", "only bundles are signed: --target bundle has it");
    refuse_for_bundle(!options.node.empty(), "--node");
    refuse_for_bundle(!options.plan_from.empty(), "--plan-from");
    refuse_for_bundle(options.node_options.report_group.has_value(), "--log-denied");
    refuse_for_bundle(options.flow_mark_bit.has_value(), "--flow-mark-bit");
    if (options.target == "iptables" && !options.base.empty())
        throw CLI::ValidationError("--base", "only --target nftables, bpf and bundle have it");
    refuse(!options.plan_from.empty(), "--plan-from");
    refuse(options.node_options.report_group.has_value(), "--log-denied");
    refuse(options.flow_mark_bit.has_value(), "--flow-mark-bit");
}

/// A folder is of one target; and bits of marks stay where those of the base are.
void settle_folders(CompileOptions& options) {
    const FolderKind kind = kind_of_target(options.target);
    if (fs::is_directory(options.plan_from))
        if (const std::string why = unfit(options.plan_from, kind); !why.empty())
            throw CLI::ValidationError("--plan-from", why);
    if (const std::string why = unfit(options.out, kind, true);
        options.plan_from.empty() && !why.empty())
        throw CLI::ValidationError("--out", why);
    if (!options.plan_from.empty() && options.names_out &&
        folder_kind(options.out) != FolderKind::Nothing)
        throw CLI::ValidationError("--out", options.out + " holds what was compiled: name another "
                                                          "folder for steps");
    if (options.target == "nftables")
        options.node_options.flow_mark_bit = flow_mark_bit(options.flow_mark_bit, base_of(options));
}

int watch(CompileOptions& options) {
    if (options.target != "bundle" || !options.emit.empty())
        throw CLI::ValidationError("--watch", "only --target bundle has it");
    if (std::count(options.paths.begin(), options.paths.end(), "-") != 0)
        throw CLI::ValidationError("--watch", "standard input does not change");
    if (options.input.render)
        throw CLI::ValidationError("--watch", "does not see what --render reads");
    refuse_for_others(options);
    settle_folders(options);
    return watch_bundle(options.paths, options.input, options.out, bundle_base(options));
}

int run(CompileOptions& options) {
    options.input.variants = frontend::Variants::Refused;
    if (options.watch)
        return watch(options);
    Input input = read_input(options.paths, options.input);
    if (print_errors(input, true))
        return kBadInput;
    if (options.target == "bird" && options.emit.empty())
        return compile_bird(options, input);
    refuse_for_others(options);
    Session session(input);
    const decision::LoweredCluster& cluster = session.cluster();
    if (!options.emit.empty()) {
        fmt::print("{}", emit_form(options.emit, input.cluster, cluster));
        return kGood;
    }
    settle_folders(options);
    if (options.target == "bundle")
        return compile_bundle(input, cluster, options.out, bundle_base(options));
    return Compiler(options, input, cluster).run();
}

void add_bird_options(CLI::App& command, CompileOptions& options) {
    add_routing_flags(command, options.routing, "bird: ");
    command.add_flag_callback(
        "--no-origins", [&options] { options.origins = false; },
        "bird: without comments that say what a line was made from");
}

} // namespace

void add_compile(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<CompileOptions>();
    CLI::App* command = app.add_subcommand("compile", "write the rules that nodes enforce");
    command->add_option("PATH", options->paths, kPathsHelp);
    add_input_options(*command, options->input);
    command
        ->add_option("--target", options->target,
                     "nftables, iptables: rules for packets; bpf: tables of a BPF classifier and "
                     "the rules of iptables that ask it; bundle: what every node makes them of "
                     "itself; bird: a configuration of BIRD 2 for routes")
        ->check(CLI::IsMember({"nftables", "iptables", "bpf", "bundle", "bird"}));
    command->add_option("--node", options->node, "one node; all when absent");
    const CLI::Option* out = command->add_option(
        "-o,--out", options->out, "folder that is written to; `compiled` when absent");
    command->add_option("--base", options->base,
                        "folder of an earlier compile: what is still there keeps its numbers");
    command->add_option("--key", options->key,
                        "bundle: a file with the public key that the one of --base must be signed "
                        "with");
    command->add_option(
        "--plan-from", options->plan_from,
        "print the steps from these rules (the listing of a node's table, or a "
        "compiled folder whose files the nodes have loaded whole) instead of writing "
        "rules; with -o a file for each step");
    command->add_option("--log-denied", options->node_options.report_group,
                        "a group of nfnetlink_log that is told what is denied and by which rule, "
                        "10 packets a second for each");
    command
        ->add_option("--flow-mark-bit", options->flow_mark_bit,
                     "the lowest of the 15 bits of conntrack marks that rules write; as the "
                     "base has it or 16 when absent")
        ->check(CLI::Range(0u, backends::kLastFlowMarkBit));
    command
        ->add_option("--emit", options->emit,
                     "print a form on the way instead: policy-ir, program or table")
        ->check(CLI::IsMember({"policy-ir", "program", "table"}));
    command->add_flag("--watch", options->watch,
                      "bundle: go on, and write what changes whenever a manifest does");
    add_bird_options(*command, *options);
    command->footer("Examples:\n"
                    "  polecat compile manifests/\n"
                    "  polecat compile manifests/ --node node1 -o compiled\n"
                    "  polecat verify compiled manifests/\n"
                    "  polecat load compiled --node node1       # on the node\n"
                    "  polecat compile manifests/ --target iptables -o chains\n"
                    "  polecat compile manifests/ --target bpf -o tables\n"
                    "  polecat compile manifests/ --target bundle -o bundle\n"
                    "  polecat compile manifests/ --target bundle -o bundle --watch\n"
                    "  polecat compile manifests/ --target bird --node node1 -o routes\n"
                    "  polecat compile manifests/ --emit program");
    command->callback([options, out, &exit_code] {
        options->names_out = out->count() != 0;
        exit_code = run(*options);
    });
}

} // namespace polecat::cli
