#include "driver/compile/bird.h"

#include <set>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "backends/bird/bird.h"
#include "passes/routing/routing.h"
#include "support/listed.h"

namespace polecat::driver {

namespace {

/// Of what none has an address: "there is no Node", "none of the 2 Nodes has".
std::string wanted(const std::string& node, std::size_t nodes) {
    if (!node.empty())
        return fmt::format("there is no Node `{}` with", node);
    return nodes < 2 ? "the input has no Node with"
                     : fmt::format("none of the {} Nodes has", nodes);
}

std::string summary_of(const routing::NodeRouting& node) {
    std::set<std::string> passwords;
    for (const routing::FamilyRouting* family : {&node.v4, &node.v6})
        for (const routing::Session& session : family->sessions)
            if (session.password)
                passwords.insert(bird::password_file(*session.password));
    std::string out =
        fmt::format("{}, {}, reads back equal",
                    counted(node.v4.sessions.size() + node.v6.sessions.size(), "session"),
                    counted(node.v4.blocks.size() + node.v6.blocks.size(), "block"));
    if (!passwords.empty())
        out += fmt::format(", needs {}", fmt::join(passwords, " "));
    return out;
}

} // namespace

BirdCompilation::BirdCompilation(Input& input, const RoutingFlags& flags, const std::string& node,
                                 diag::Diagnostics& diagnostics)
    : sources_(input.sources),
      cluster_(passes::lower_routing(
          input.cluster, routing_options(flags, input.sources, diagnostics), diagnostics)) {
    for (routing::NodeIndex i = 0; i < cluster_.nodes.size(); ++i) {
        const routing::BgpNode& each = cluster_.nodes[i];
        if ((each.v4 || each.v6) && (node.empty() || each.name == node))
            nodes_.push_back(i);
    }
    if (nodes_.empty() && !diagnostics.has_errors())
        diagnostics.report(diag::Code::NoBgpNode, Span{}, {wanted(node, cluster_.nodes.size())})
            .with_hint("add `calicoctl get nodes -o yaml`, or `kubectl get nodes -o yaml` with "
                       "Calico's annotations");
    for (const routing::NodeIndex each : nodes_)
        check(each, diagnostics);
}

void BirdCompilation::check(routing::NodeIndex index, diag::Diagnostics& diagnostics) const {
    const auto node = passes::node_routing(cluster_, index, diagnostics);
    if (!node)
        return;
    for (const routing::KernelPool& pool : bird::not_expressible(*node))
        diagnostics
            .report(diag::Code::TunnelNotInBird, pool.origin.span,
                    {node->node, net::to_string(pool.cidr)})
            .about(pool.origin.object)
            .with_hint("programClusterRoutes: EnabledNoEncapOnly in BGPConfiguration leaves "
                       "these routes to Felix");
}

BirdFile BirdCompilation::file(routing::NodeIndex index, bool origins) const {
    diag::Diagnostics told; // by check()
    const auto node = passes::node_routing(cluster_, index, told);
    bird::EmitOptions how;
    how.origins = origins ? &sources_ : nullptr;
    BirdFile out{node->node, bird::emit(*node, how), summary_of(*node)};
    const auto again = bird::read_back(out.text);
    if (!again || *again != bird::comparable(*node))
        throw std::runtime_error("node " + node->node +
                                 ": what was compiled does not read back as the same routing (" +
                                 (again ? "the form differs" : again.error()) +
                                 "); it was not written. This is a fault of polecat");
    return out;
}

} // namespace polecat::driver
