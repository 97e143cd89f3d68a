#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "cli/polecat/commands.h"
#include "cli/polecat/program/loading_options.h"
#include "cli/polecat/try/print.h"
#include "driver/compile/compilation.h"
#include "driver/input/input.h"
#include "driver/session.h"
#include "driver/try/experiment.h"
#include "frontend/expectation_text.h"
#include "support/diag/render.h"
#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

namespace {

struct TryOptions {
    std::vector<std::string> paths{"."};
    InputOptions input;
    std::string node;
    std::string target = "nftables";
    LoadingOptions loading;
    std::vector<std::string> ports; ///< none: found in the rules
    bool verbose = false;
};

constexpr std::size_t kMostPackets = 20'000;

int carry_out(Experiment& experiment, const TriedRules& rules, ProgressLine& progress,
              bool verbose) {
    const auto lacking = [&](const std::string& why) {
        progress.clear();
        fmt::print(stderr,
                   "polecat: the rules could not be tried on this kernel: {}\n  needed: root or "
                   "user namespaces, ip(8), veth links, {}\n",
                   why, rules.needs());
        return kBadInput;
    };
    if (const auto done = experiment.prepare(); !done)
        return lacking(done.error());
    progress.clear();
    const std::string why = rules.difference();
    fmt::print("the kernel's own listing of the rules {}\n",
               why.empty() ? "reads back as the policy"
                           : "does not read back as the policy: " + why);
    if (!why.empty())
        return kFindings;
    Trials trials = experiment.plan(kMostPackets);
    if (const auto done = experiment.send(trials.all); !done)
        return lacking(done.error());
    progress.clear();
    fmt::print("{}{}", table_of(trials.all, verbose), summary_of(trials));
    return std::all_of(trials.all.begin(), trials.all.end(),
                       [](const Trial& each) { return each.is_as_predicted(); })
               ? kGood
               : kFindings;
}

Probes probes_of(const std::vector<std::string>& ports) {
    Probes out;
    for (const std::string& port : ports) {
        const auto traffic = value_or_usage(frontend::parse_port(port));
        out.insert({traffic.protocol, *traffic.port});
    }
    return out;
}

/// As it was named, or the first with pods.
std::string node_to_try(const TryOptions& options, const decision::LoweredCluster& cluster,
                        const std::set<std::string>& nodes) {
    if (!options.node.empty() && !nodes.contains(options.node))
        throw CLI::ValidationError(
            "--node",
            fmt::format("no endpoint is on a node `{}`{}", options.node,
                        nodes.empty() ? ""
                                      : "; there are " + listed({nodes.begin(), nodes.end()}, 10)));
    return options.node.empty() ? first_node_with_pods(cluster) : options.node;
}

int run(const TryOptions& options) {
    Probes probes = probes_of(options.ports);
    const LoadOptions loading = options.loading.of(options.target);
    Input input = read_input(options.paths, options.input);
    if (print_errors(input, false))
        return kBadInput;
    diag::Diagnostics diagnostics;
    Session session(input);
    const decision::LoweredCluster& cluster = session.cluster();
    Compilation compiled(cluster, input.sources);
    const std::string node = node_to_try(options, cluster, compiled.nodes());
    const auto image = compiled.image(node, diagnostics);
    const auto rules =
        image ? tried_rules(options.target, loading, compiled, node, *image, diagnostics) : nullptr;
    fmt::print(stderr, "{}",
               diag::render_text(diagnostics.list(), input.sources, {colour_on(true)}));
    if (!rules)
        return kFindings;
    ProgressLine progress;
    Experiment experiment(
        cluster, node, *image, *rules, std::move(probes),
        [&](const char* what, std::size_t done, std::size_t of) { progress.show(what, done, of); });
    if (experiment.workloads() == 0 && !experiment.tries_node()) {
        fmt::print(stderr, "polecat: no pod with an address is on {}, so there is nothing to try\n",
                   options.node.empty() ? "a node" : "node " + options.node);
        return kBadInput;
    }
    fmt::print("node {}: {}{} in network namespaces of their own\n", node,
               counted(experiment.workloads(), "endpoint"),
               experiment.tries_node()   ? ", the node itself and the network around it"
               : image->attached.empty() ? ""
                                         : " (not the node itself: no host endpoint says its "
                                           "expectedIPs)");
    return carry_out(experiment, *rules, progress, options.verbose);
}

} // namespace

void add_try(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<TryOptions>();
    CLI::App* command = app.add_subcommand(
        "try", "load the compiled rules in network namespaces and send real packets");
    command->add_option("PATH", options->paths, kPathsHelp);
    add_input_options(*command, options->input);
    command->add_option("--node", options->node, "the node whose pods are tried; the first");
    command->add_option("--target", options->target, "whose rules: nftables, iptables or bpf")
        ->check(CLI::IsMember({"nftables", "iptables", "bpf"}));
    add_loading_options(*command, options->loading);
    command->add_option("-p,--port", options->ports,
                        "what is sent from each end to each, as 80/TCP; when absent, to each side "
                        "of each range of ports that rules of either end name");
    command->add_flag("-v,--verbose", options->verbose,
                      "show every packet, not only those that are not as predicted");
    command->footer("Exit codes: 0 every packet met what the policy says, 1 some did not or the "
                    "policy can't be compiled, 2 the rules could not be tried.\n"
                    "Nothing outside of new namespaces is touched: not this host's network, not "
                    "its rules.\nExamples:\n  polecat try manifests/\n"
                    "  polecat try manifests/ -p 5432/TCP -p 53/UDP -v\n"
                    "  polecat try manifests/ --target bpf");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
