#include "cli/polecat/bgp.h"

#include <fmt/format.h>

#include "cli/common/unread.h"
#include "cli/polecat/commands.h"
#include "passes/routing/routing.h"
#include "support/diag/render.h"

namespace polecat::cli {

void add_bgp_options(CLI::App& command, BgpOptions& into) {
    command.add_option("-f,--files", into.paths, kPathsHelp);
    add_input_options(command, into.input);
    command.add_option("--format", into.format, "text or json")
        ->check(CLI::IsMember({"text", "json"}));
}

std::string RoutedInput::text_of(const routing::Origin& origin) const {
    if (origin.object.empty())
        return "Calico's default";
    return origin.span.known()
               ? fmt::format("{} ({})", origin.object, input.sources.describe(origin.span))
               : origin.object;
}

routing::NodeIndex RoutedInput::node(const std::string& name) const {
    if (const auto found = routing.find(name))
        return *found;
    std::vector<std::string_view> names;
    for (const routing::BgpNode& each : routing.nodes)
        names.push_back(each.name);
    const auto near = diag::nearest(name, names);
    throw CLI::ValidationError(fmt::format("there is no node `{}`{}", name,
                                           near ? fmt::format("; did you mean `{}`?", *near) : ""));
}

RoutedInput read_routing(const BgpOptions& options, bool mesh) {
    RoutedInput out{read_input(options.paths, options.input), {}, {}, false};
    print_errors(out.input, false);
    diag::Diagnostics diagnostics;
    out.routing = passes::lower_routing(out.input.cluster, {}, diagnostics);
    const bool joined = std::exchange(out.routing.mesh, out.routing.mesh && mesh);
    for (routing::NodeIndex i = 0; i < out.routing.nodes.size(); ++i) {
        const routing::BgpNode& node = out.routing.nodes[i];
        if (!node.v4 && !node.v6)
            continue;
        if (auto form = passes::node_routing(out.routing, i, diagnostics))
            out.nodes.push_back(std::move(*form));
    }
    out.routing.mesh = joined;
    if (out.nodes.empty() && !diagnostics.has_errors())
        diagnostics.report(diag::Code::NoBgpNode, Span{}, {"*"})
            .with_hint("add `calicoctl get nodes -o yaml`, or `kubectl get nodes -o yaml` with "
                       "Calico's annotations");
    out.refused = diagnostics.has_errors();
    diagnostics.sort();
    fmt::print(stderr, "{}",
               diag::render_text(diagnostics.list(), out.input.sources, {colour_on(true)}));
    return out;
}

void add_bgp(CLI::App& app, int& exit_code) {
    CLI::App* bgp = app.add_subcommand("bgp", "what the nodes' BGP does, before it is rolled out");
    bgp->require_subcommand(1);
    add_bgp_sessions(*bgp, exit_code);
}

} // namespace polecat::cli
