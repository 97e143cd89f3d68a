// Untracked policy that takes packets of pods: without a connection pods' answers are dropped.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using decision::Direction;
using decision::Object;
using policy::EntityRule;

namespace {

/// Nodes on whose interfaces the policy acts. Host endpoints of all interfaces take none.
std::set<std::string> nodes_under(Context& context, const policy::Policy& policy) {
    std::set<std::string> out;
    for (const decision::ObjectId id : context.select(policy::subject_of(policy)))
        if (const decision::Endpoint* endpoint = context.lowered.endpoint_of(id);
            endpoint != nullptr && endpoint->is_host_endpoint && endpoint->interface_name != "*")
            out.insert(endpoint->node);
    return out;
}

bool holds_address(const std::vector<At<net::Cidr>>& nets, const Object& pod) {
    return std::any_of(nets.begin(), nets.end(), [&](const At<net::Cidr>& net) {
        return std::any_of(pod.addresses.begin(), pod.addresses.end(),
                           [&](const net::Address& each) { return net->contains(each); });
    });
}

/// A rule that names ports means a pod that says it listens there.
bool has_port(const policy::Rule& rule, const policy::Workload& workload) {
    const EntityRule& end = rule.destination;
    const auto is_listed = [&](const policy::EndpointPort& each) {
        if (rule.protocol && **rule.protocol != each.protocol)
            return false;
        return std::any_of(end.ports.begin(), end.ports.end(), [&](const policy::Port& port) {
            const auto* name = std::get_if<std::string>(&port.value);
            return name != nullptr ? *name == each.name
                                   : std::get<net::PortRange>(port.value).first <= each.port &&
                                         each.port <= std::get<net::PortRange>(port.value).last;
        });
    };
    return end.ports.empty() ||
           std::any_of(workload.listens.begin(), workload.listens.end(), is_listed);
}

bool may_be(const RuleView& view, const policy::Workload& workload, const Object& pod) {
    const EntityRule& end = view.rule.destination;
    const auto peers = policy::peers_of(end, "");
    return (!peers || peers->matches(pod.labels)) &&
           (end.nets.empty() || holds_address(end.nets, pod)) &&
           !holds_address(end.not_nets, pod) && has_port(view.rule, workload);
}

} // namespace

void check_untracked(Context& context, Diagnostics& out) {
    const auto& policies = context.cluster.policies;
    if (std::none_of(policies.begin(), policies.end(),
                     [](const policy::Policy& policy) { return *policy.do_not_track; }))
        return;
    std::map<std::string, const policy::Workload*> workloads;
    for (const policy::Workload& each : context.cluster.workloads)
        workloads[each.kind + ":" + each.meta.space + "/" + each.meta.name] = &each;
    each_rule(context, [&](const RuleView& view) {
        if (!*view.policy.do_not_track || view.direction != Direction::Ingress ||
            view.rule.action != policy::Action::Allow || policy::is_staged(view.policy.kind))
            return;
        const std::set<std::string> nodes = nodes_under(context, view.policy);
        std::vector<std::string> found;
        for (const decision::Endpoint& endpoint : context.lowered.endpoints) {
            const Object& pod = context.object(endpoint.object);
            const auto workload = workloads.find(pod.manifest_kind + ":" + pod.name);
            if (!nodes.empty() && workload != workloads.end() && !endpoint.host_network &&
                (endpoint.node.empty() || nodes.contains(endpoint.node)) &&
                may_be(view, *workload->second, pod))
                found.push_back("pod " + pod.name);
        }
        if (!found.empty())
            out.report(Code::UntrackedTakesPods, view.rule.span, {rule_name(view), listed(found)})
                .about(name_of(view.policy))
                .with_hint("limit it to the host's own addresses by destination.nets, or use "
                           "preDNAT policy, which keeps connections");
    });
}

} // namespace polecat::lint
