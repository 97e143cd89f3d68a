#include <filesystem>
#include <optional>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "backends/nftables/nftables.h"
#include "cli/common/input.h"
#include "cli/polecat/commands.h"
#include "cli/polecat/compile_bird.h"
#include "cli/polecat/emit_forms.h"
#include "cli/polecat/origins.h"
#include "support/diag/render.h"
#include "support/listed.h"
#include "support/read_file.h"
#include "support/sha2.h"

namespace polecat::cli {

namespace {

namespace fs = std::filesystem;

struct CompileOptions {
    std::vector<std::string> paths{"."};
    InputOptions input;
    std::string target = "nftables";
    std::string emit;
    std::string node;
    std::string out = "polecat-bundle";
    int generation = 0; ///< 0: made from what is compiled
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

std::optional<backends::NodeImage> image_in(const fs::path& path) {
    const auto text = read_file(path.string());
    const auto parsed = nft::parse(text ? *text : "");
    const auto read = parsed ? backends::read_back(*parsed) : Result<backends::NodeImage>(Error{});
    return read ? std::optional(*read) : std::nullopt;
}

/// The number of a policy, 1 to 4095, by which a node tells flows that it has judged from flows
/// that another policy has. From the content, so that the same input gives the same bundle; another
/// one than that of a different policy in the file that is about to be replaced.
std::uint16_t generation_of(backends::NodeImage image, const fs::path& replaced) {
    image.generation = 1;
    const auto digest = sha224(nft::print(backends::emit(image)));
    const unsigned number = digest[0] * 256U + digest[1];
    image.generation = static_cast<std::uint16_t>(number % 4095 + 1);
    const auto before = image_in(replaced);
    if (before && before->generation == image.generation && *before != image)
        image.generation = static_cast<std::uint16_t>(image.generation % 4095 + 1);
    return image.generation;
}

class Compiler {
  public:
    Compiler(const CompileOptions& options, const Input& input,
             const decision::LoweredCluster& cluster)
        : options_(options), input_(input), cluster_(cluster), identities_(cluster) {}

    int run() {
        std::set<std::string> nodes = nodes_of(cluster_);
        if (!options_.node.empty()) {
            if (!nodes.contains(options_.node))
                diagnostics_.report(diag::Code::NoSuchNode, Span{}, {options_.node})
                    .with_hint("nodes with endpoints: " + list(nodes));
            nodes = {options_.node};
        }
        name_unplaced();
        if (!diagnostics_.has_errors())
            for (const std::string& node : nodes)
                compile(node); // a node that is refused does not keep the others back
        diagnostics_.sort();
        fmt::print(stderr, "{}",
                   diag::render_text(diagnostics_.list(), input_.sources, {colour_on(true)}));
        if (diagnostics_.has_errors())
            return kFindings;
        if (nodes.empty())
            fmt::print("no endpoint is on a node, so there is nothing to write\n");
        return kGood;
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

    /// Nothing is written that does not read back as what it was made from.
    void compile(const std::string& node) {
        auto image = backends::build_node_image(
            cluster_, identities_, node,
            static_cast<std::uint16_t>(std::max(options_.generation, 1)), diagnostics_);
        if (!image)
            return;
        const fs::path folder = fs::path(options_.out) / "nodes" / node;
        if (options_.generation == 0)
            image->generation = generation_of(*image, folder / "ruleset.nft");
        const std::string text = nft::print_replacing(backends::emit(*image));
        const auto parsed = nft::parse(text);
        if (!parsed)
            refuse(node, parsed.error());
        const auto again = backends::read_back(*parsed);
        if (!again)
            refuse(node, again.error());
        if (*again != *image)
            refuse(node, "the image differs");
        const std::string origins = origins_json(cluster_, *image, node, input_.sources);
        if (!write_file((folder / "ruleset.nft").string(), text) ||
            !write_file((folder / "origins.json").string(), origins)) {
            diagnostics_.report(diag::Code::UnreadableFile, Span{},
                                {folder.string(), "it can't be written"});
            return;
        }
        fmt::print("{}: {}, {} addresses, generation {}, reads back equal -> {}\n", node,
                   counted(image->programs.size(), "program"), image->addresses.size(),
                   image->generation, (folder / "ruleset.nft").string());
    }

    const CompileOptions& options_;
    const Input& input_;
    const decision::LoweredCluster& cluster_;
    decision::Identities identities_;
    diag::Diagnostics diagnostics_;
};

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
    diag::Diagnostics diagnostics;
    passes::LowerOptions lowering;
    if (options.emit.empty())
        lowering.only_node = options.node;
    const auto cluster = passes::lower(input.cluster, diagnostics, lowering);
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
                     "nftables: rules for packets; bird: a configuration of BIRD 2 for routes")
        ->check(CLI::IsMember({"nftables", "bird"}));
    command->add_option("--node", options->node, "one node; all when absent");
    command->add_option("-o,--out", options->out, "folder of the bundle");
    command
        ->add_option(
            "--generation", options->generation,
            "number of this policy, 1 to 4095: another than that of the policy the node runs. "
            "When absent, made from what is compiled")
        ->check(CLI::Range(1, 4095));
    command
        ->add_option("--emit", options->emit,
                     "print a form on the way instead: policy-ir, program or table")
        ->check(CLI::IsMember({"policy-ir", "program", "table"}));
    add_bird_options(*command, *options);
    command->footer("Examples:\n"
                    "  polecat compile manifests/ -o bundle\n"
                    "  polecat compile manifests/ --node node1 && "
                    "nft -f polecat-bundle/nodes/node1/ruleset.nft\n"
                    "  polecat compile manifests/ --target bird --node node1\n"
                    "  polecat compile manifests/ --emit program");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
