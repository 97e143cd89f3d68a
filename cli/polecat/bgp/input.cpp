#include "cli/polecat/bgp/input.h"

#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "frontend/endpoint_status.h"
#include "support/diag/render.h"
#include "support/listed.h"

namespace polecat::cli {

void add_routing_flags(CLI::App& command, RoutingFlags& into, const std::string& prefix) {
    command.add_option("--router-id", into.router_id,
                       prefix + "CALICO_ROUTER_ID of calico-node: an ID, or hash");
    command.add_option("--advertise-cluster-ips", into.cluster_ips,
                       prefix + "CALICO_ADVERTISE_CLUSTER_IPS of calico-node");
    command.add_option("--agent-namespace", into.agent_namespace,
                       prefix + "namespace of calico-node, where Secrets with passwords stand");
    command.add_option("--endpoint-status", into.endpoint_status,
                       prefix + "folder with the node's files of workloads that peer with it");
}

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

namespace {

void tell_errors(const Input& input) {
    std::vector<diag::Diagnostic> errors;
    for (const diag::Diagnostic& each : input.diagnostics.list())
        if (each.severity == diag::Severity::Error)
            errors.push_back(each);
    fmt::print(stderr, "{}", diag::render_text(errors, input.sources, {colour_on(true)}));
    if (!errors.empty())
        fmt::print(stderr, "\n{} error{} is left out of the answer\n", errors.size(),
                   errors.size() == 1 ? ": what it is in" : "s: what they are in");
}

/// Their sessions are not among the answers.
void tell_left_out(const routing::ClusterRouting& routing) {
    std::vector<std::string> names;
    for (const routing::BgpNode& each : routing.nodes)
        if (!each.v4 && !each.v6)
            names.push_back(each.name);
    if (!names.empty() && names.size() < routing.nodes.size())
        fmt::print(stderr,
                   "note: left out, as no address for BGP is known of them (calicoctl get nodes -o "
                   "yaml says it): {} {}\n",
                   names.size() == 1 ? "node" : "nodes", listed(names));
    std::vector<std::string> peers;
    for (const routing::BgpPeer& each : routing.peers)
        if (each.nodes.empty() || (each.to == routing::BgpPeer::To::Nodes && each.remote.empty()))
            peers.push_back(each.name);
    if (!peers.empty() && !routing.nodes.empty())
        fmt::print(stderr, "note: {} {} no session among the nodes of the input\n",
                   peers.size() == 1 ? "BGPPeer" : "BGPPeers",
                   listed(peers) + (peers.size() == 1 ? " makes" : " make"));
}

} // namespace

RoutedInput read_routing(Input& input, const RoutingFlags& flags, MeshSessions mesh) {
    tell_errors(input);
    RoutedInput out = route(input, flags, mesh);
    fmt::print(stderr, "{}",
               diag::render_text(out.diagnostics.list(), input.sources, {colour_on(true)}));
    tell_left_out(out.routing);
    return out;
}

} // namespace polecat::cli
