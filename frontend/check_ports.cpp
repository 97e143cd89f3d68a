#include "frontend/check_ports.h"

#include <algorithm>
#include <map>
#include <set>

namespace polecat::frontend {

using policy::KubernetesNetworkPolicy;
using policy::KubernetesPeer;
using policy::KubernetesPort;
using policy::KubernetesRule;

namespace {

/// Names of the ports that the pods of each namespace declare.
std::map<std::string, std::set<std::string>> declared_names(const policy::Cluster& cluster) {
    std::map<std::string, std::set<std::string>> out;
    for (const policy::Workload& workload : cluster.workloads) {
        auto& names = out[workload.meta.space];
        for (const policy::EndpointPort& port : workload.ports)
            names.insert(port.name);
    }
    return out;
}

/// None of its ports is a number, or a name that a pod declares.
bool matches_nothing(const KubernetesRule& rule, const std::set<std::string>& declared) {
    return std::all_of(rule.ports.begin(), rule.ports.end(), [&](const KubernetesPort& each) {
        const auto* name = each.port ? std::get_if<std::string>(&*each.port) : nullptr;
        return name != nullptr && !declared.contains(*name);
    });
}

} // namespace

void check_port_names(const policy::Cluster& cluster, const policy::Extent& extent,
                      diag::Diagnostics& diagnostics) {
    const auto declared = declared_names(cluster);
    const auto each_name = [](const KubernetesRule& rule, const auto& act) {
        for (const KubernetesPort& port : rule.ports)
            if (port.port && std::holds_alternative<std::string>(*port.port))
                act(std::get<std::string>(*port.port), port.span);
    };
    for (const KubernetesNetworkPolicy& policy : cluster.kubernetes_policies) {
        const auto names = declared.find(policy.meta.space);
        const auto assumed = extent.known_pods_of(policy.meta.space);
        for (const KubernetesRule& rule : policy.ingress)
            each_name(rule, [&](const std::string& name, const Span& span) {
                if (!assumed || names->second.contains(name))
                    return;
                diagnostics
                    .report(diag::Code::UndeclaredPortName, span,
                            {name, policy.meta.space,
                             matches_nothing(rule, names->second)
                                 ? ", so the rule matches nothing"
                                 : "; the other ports of the rule are not touched by that"})
                    .about(to_string(policy_name(policy)))
                    .with_hint("give the container port that name, or write the number")
                    .with_note("assumes that " + *assumed);
            });
        for (const KubernetesRule& rule : policy.egress) {
            const bool outside =
                std::any_of(rule.peers.begin(), rule.peers.end(),
                            [](const KubernetesPeer& peer) { return peer.ip_block.has_value(); });
            if (outside)
                each_name(rule, [&](const std::string& name, const Span& span) {
                    diagnostics.report(diag::Code::PortNameOutside, span, {name})
                        .about(to_string(policy_name(policy)))
                        .with_hint("write the port's number");
                });
        }
    }
}

} // namespace polecat::frontend
