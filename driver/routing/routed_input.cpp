#include "driver/routing/routed_input.h"

#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "frontend/endpoint_status.h"

namespace polecat::driver {

passes::RoutingOptions routing_options(const RoutingFlags& flags, Sources& sources,
                                       diag::Diagnostics& diagnostics) {
    passes::RoutingOptions out;
    out.router_id = flags.router_id;
    out.agent_namespace = flags.agent_namespace;
    if (!flags.endpoint_status.empty())
        out.endpoint_status =
            frontend::read_endpoint_status(flags.endpoint_status, sources, diagnostics);
    if (flags.cluster_ips.empty())
        return out;
    out.cluster_ip_ranges.emplace();
    std::istringstream words(flags.cluster_ips);
    for (std::string word; std::getline(words, word, ',');)
        if (const auto cidr = net::parse_cidr(word, net::CidrForm::Strict))
            out.cluster_ip_ranges->push_back(*cidr);
        else
            diagnostics.report(diag::Code::RefusedByBird, Span{},
                               {"--advertise-cluster-ips must be CIDRs"});
    return out;
}

std::string RoutedInput::text_of(const routing::Origin& origin) const {
    if (origin.object.empty())
        return "Calico's default";
    return origin.span.known()
               ? fmt::format("{} ({})", origin.object, input.sources.describe(origin.span))
               : origin.object;
}

Result<routing::NodeIndex> RoutedInput::node(const std::string& name) const {
    if (const auto found = routing.find(name))
        return *found;
    std::vector<std::string_view> names;
    for (const routing::BgpNode& each : routing.nodes)
        names.push_back(each.name);
    const auto near = diag::nearest(name, names);
    return Error{fmt::format("there is no node `{}`{}", name,
                             near ? fmt::format("; did you mean `{}`?", *near) : "")};
}

routing::LowerNode quiet_lowering() {
    return [](const routing::ClusterRouting& of, routing::NodeIndex node) {
        diag::Diagnostics told;
        return passes::node_routing(of, node, told);
    };
}

RoutedInput route(Input& input, const RoutingFlags& flags, MeshSessions mesh) {
    RoutedInput out{input, {}, {}, {}, false};
    const auto options = routing_options(flags, input.sources, out.diagnostics);
    out.routing = passes::lower_routing(input.cluster, options, out.diagnostics);
    const bool joined =
        std::exchange(out.routing.mesh, out.routing.mesh && mesh == MeshSessions::Listed);
    for (routing::NodeIndex i = 0; i < out.routing.nodes.size(); ++i) {
        const routing::BgpNode& node = out.routing.nodes[i];
        if (!node.v4 && !node.v6)
            continue;
        if (auto form = passes::node_routing(out.routing, i, out.diagnostics))
            out.nodes.push_back(std::move(*form));
    }
    out.routing.mesh = joined;
    if (out.nodes.empty() && !out.diagnostics.has_errors())
        out.diagnostics.report(diag::Code::NoBgpNode, Span{}, {"there is no Node with"})
            .with_hint("add `calicoctl get nodes -o yaml`, or `kubectl get nodes -o yaml` with "
                       "Calico's annotations");
    out.refused = input.diagnostics.has_errors() || out.diagnostics.has_errors();
    out.diagnostics.sort();
    return out;
}

} // namespace polecat::driver
