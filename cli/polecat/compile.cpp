#include <filesystem>
#include <optional>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "backends/iptables/build.h"
#include "backends/iptables/iptables.h"
#include "backends/nftables/nftables.h"
#include "backends/node/build.h"
#include "backends/node/felix_keys.h"
#include "cli/polecat/commands.h"
#include "cli/polecat/compile/bird.h"
#include "cli/polecat/compile/iptables.h"
#include "cli/polecat/compile/plan.h"
#include "driver/compile/bundle.h"
#include "driver/compile/emit_forms.h"
#include "driver/compile/origins.h"
#include "driver/input/input.h"
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
    std::string out = "polecat-bundle";
    std::string base;
    std::string plan_from; ///< set: steps are printed and nothing is written
    std::optional<std::uint16_t> log_denied;
    BirdCompileOptions bird;
};

/// Nodes that endpoints are on, by name.
std::set<std::string> nodes_of(const decision::LoweredCluster& cluster) {
    std::set<std::string> out;
    for (const decision::Endpoint& endpoint : cluster.endpoints)
        if (!endpoint.node.empty())
            out.insert(endpoint.node);
    return out;
}

/// What someone must know who loads the file by hand.
const char* const kHeader =
    "# nft -D generation=0x00010000 -f ruleset.nft, after generations.nft of this bundle; with "
    "every\n"
    "# other policy the next number (0x00020000, ...). docs/nftables.md says why.\n";

/// What an earlier bundle numbered; nothing where none is named.
backends::Numbers base_numbers(const std::string& bundle) {
    if (bundle.empty())
        return {};
    auto numbers = numbers_in(bundle);
    if (!numbers)
        throw CLI::ValidationError("--base", numbers.error());
    return std::move(*numbers);
}

/// A bundle that is planned from is the base as well, unless another is named.
std::string base_of(const CompileOptions& options) {
    return options.base.empty() && fs::is_directory(options.plan_from) ? options.plan_from
                                                                       : options.base;
}

class Compiler {
  public:
    Compiler(const CompileOptions& options, const Input& input,
             const decision::LoweredCluster& cluster)
        : options_(options), input_(input), cluster_(cluster), identities_(cluster),
          images_(cluster, identities_, base_numbers(base_of(options)), options.log_denied) {}

    int run() {
        std::set<std::string> nodes = nodes_of(cluster_);
        nodes.merge(nodes_in(options_.plan_from)); // the last pod of a node may have gone
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
        name_unplaced();
        backends::report_felix_keys(input_.cluster, diagnostics_);
        if (!diagnostics_.has_errors() && !nodes.empty())
            write_common();
        if (!diagnostics_.has_errors()) {
            for (const std::string& node : nodes)
                compile(node); // a node that is refused does not keep the others back
            if (!nodes.empty() && !is_iptables())
                write(fs::path(kNumbersFile), backends::print(images_.record()));
        }
        diagnostics_.sort();
        fmt::print(stderr, "{}",
                   diag::render_text(diagnostics_.list(), input_.sources, {colour_on(true)}));
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
    static std::string list(const std::set<std::string>& names) {
        std::string out;
        for (const std::string& name : names)
            out += (out.empty() ? "" : ", ") + name;
        return out.empty() ? "none" : out;
    }

    /// Pods that are on no node are in no bundle. Those on the network of their host have no rules.
    void name_unplaced() {
        for (const decision::Endpoint& endpoint : cluster_.endpoints) {
            const decision::Object& object = cluster_.world.object(endpoint.object);
            if (endpoint.node.empty() && !endpoint.host_network && !endpoint.is_host_endpoint)
                diagnostics_.report(diag::Code::EndpointNotPlaced, object.span,
                                    {object.name, "node"});
        }
    }

    [[noreturn]] static void refuse(const std::string& node, const std::string& why) {
        throw std::runtime_error("node " + node +
                                 ": what was compiled does not read back as the same policy (" +
                                 why + "); nothing was written. This is a fault of polecat");
    }

    bool is_iptables() const { return options_.target == "iptables"; }

    void write_common() {
        if (is_iptables())
            write(fs::path("hooks.iptables"), iptables::filter_hooks());
        else
            write(fs::path(kGenerationsFile), backends::free_generations());
    }

    void compile_iptables(const std::string& node) {
        if (!filters_)
            filters_.emplace(cluster_, identities_, images_);
        const auto image = filters_->of(node, diagnostics_);
        if (!image)
            return;
        const fs::path folder = fs::path("nodes") / node;
        for (const auto& [name, text] : iptables_files(*image, node))
            if (!write(folder / name, text))
                return;
        fmt::print("{}: {}, {}, {} addresses, reads back equal -> {}\n", node,
                   counted(image->programs.size(), "program"), counted(image->sets.size(), "set"),
                   image->pods.size(), (fs::path(options_.out) / folder).string());
    }

    /// Nothing is written that does not read back as what it was made from.
    void compile(const std::string& node) {
        if (is_iptables())
            return compile_iptables(node);
        const auto image = images_.of(node, diagnostics_);
        if (!image)
            return;
        const std::string text = kHeader + nft::print_replacing(backends::emit(*image));
        const auto parsed = nft::parse(text);
        if (!parsed)
            refuse(node, parsed.error());
        const auto again = backends::read_back(*parsed);
        if (!again)
            refuse(node, again.error());
        if (*again != *image)
            refuse(node, "the image differs");
        const std::string origins = origins_json(cluster_, images_, *image, node, input_.sources);
        if (!options_.plan_from.empty())
            return print_plan(plan_from(options_.plan_from, node, *image), node);
        const fs::path folder = fs::path("nodes") / node;
        if (write(folder / "ruleset.nft", text) && write(folder / "origins.json", origins))
            fmt::print("{}: {}, {} addresses, reads back equal -> {}\n", node,
                       counted(image->programs.size(), "program"), image->addresses.size(),
                       (fs::path(options_.out) / folder / "ruleset.nft").string());
    }

    /// Into the bundle; nothing when a plan is asked for.
    bool write(const fs::path& path, const std::string& text) {
        const std::string whole = (fs::path(options_.out) / path).string();
        if (!options_.plan_from.empty() || write_file(whole, text))
            return true;
        diagnostics_.report(diag::Code::UnreadableFile, Span{}, {whole, "it can't be written"});
        return false;
    }

    const CompileOptions& options_;
    const Input& input_;
    const decision::LoweredCluster& cluster_;
    decision::Identities identities_;
    backends::NodeImages images_;
    std::optional<iptables::FilterImages> filters_; ///< of iptables
    diag::Diagnostics diagnostics_;
};

/// Options that only nftables has.
void refuse_for_iptables(const CompileOptions& options) {
    const auto refuse = [&](bool given, const char* option) {
        if (given && options.target == "iptables")
            throw CLI::ValidationError(option, "only --target nftables has it");
    };
    refuse(!options.base.empty(), "--base");
    refuse(!options.plan_from.empty(), "--plan-from");
    refuse(options.log_denied.has_value(), "--log-denied");
}

int run(CompileOptions& options) {
    options.input.variants = frontend::Variants::Refused;
    Input input = read_input(options.paths, options.input);
    if (print_errors(input, true))
        return kBadInput;
    if (options.target == "bird" && options.emit.empty()) {
        options.bird.node = options.node;
        options.bird.out = options.out;
        return compile_bird(options.bird, input);
    }
    refuse_for_iptables(options);
    const auto cluster = passes::lower(input.cluster).cluster;
    if (!options.emit.empty()) {
        fmt::print("{}", emit_form(options.emit, input.cluster, cluster));
        return kGood;
    }
    return Compiler(options, input, cluster).run();
}

void add_bird_options(CLI::App& command, CompileOptions& options) {
    BirdCompileOptions& bird = options.bird;
    add_routing_flags(command, bird.flags, "bird: ");
    command.add_flag("!--no-origins", bird.origins,
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
                     "nftables, iptables: rules for packets; bird: a configuration of BIRD 2 for "
                     "routes")
        ->check(CLI::IsMember({"nftables", "iptables", "bird"}));
    command->add_option("--node", options->node, "one node; all when absent");
    command->add_option("-o,--out", options->out, "folder of the bundle");
    command->add_option("--base", options->base,
                        "folder of an earlier bundle: what is still there keeps its numbers");
    command->add_option("--plan-from", options->plan_from,
                        "print the steps from these rules (the listing of a node's table, or a "
                        "bundle whose files the nodes have loaded whole) instead of writing a "
                        "bundle");
    command->add_option("--log-denied", options->log_denied,
                        "a group of nfnetlink_log that is told what is denied and by which rule, "
                        "10 packets a second for each");
    command
        ->add_option("--emit", options->emit,
                     "print a form on the way instead: policy-ir, program or table")
        ->check(CLI::IsMember({"policy-ir", "program", "table"}));
    add_bird_options(*command, *options);
    command->footer("Examples:\n"
                    "  polecat compile manifests/ -o bundle\n"
                    "  polecat compile manifests/ --node node1\n"
                    "  nft -f polecat-bundle/generations.nft    # once after a start\n"
                    "  nft -D generation=0x00010000 -f polecat-bundle/nodes/node1/ruleset.nft\n"
                    "  polecat compile manifests/ --target iptables --node node1\n"
                    "  polecat compile manifests/ --target bird --node node1\n"
                    "  polecat compile manifests/ --emit program");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
