#include "cli/polecat/bgp/input.h"

#include <fmt/format.h>

#include "driver/bgp/session_text.h"
#include "support/diag/render.h"

namespace polecat::cli {

using namespace driver;

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

} // namespace

RoutedInput read_routing(Input& input, const RoutingFlags& flags, MeshSessions mesh) {
    tell_errors(input);
    RoutedInput out = route(input, flags, mesh);
    fmt::print(stderr, "{}",
               diag::render_text(out.diagnostics.list(), input.sources, {colour_on(true)}));
    for (const std::string& each : left_out_notes(out.routing))
        fmt::print(stderr, "note: {}\n", each);
    return out;
}

} // namespace polecat::cli
