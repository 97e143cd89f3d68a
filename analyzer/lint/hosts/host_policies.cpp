// Policies for hosts that do less than they seem to, or more: no host endpoint to act at, ports
// that are open whatever policy says, untracked policy in the way of pods. Sources:
// felix/rules/endpoints.go, felix/rules/static.go.
#include <map>
#include <set>

#include <fmt/format.h>

#include "analyzer/flows/program_flows.h"
#include "analyzer/lint/checks.h"
#include "analyzer/lint/hosts/node_policies.h"
#include "ir/policy/felix.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using analyzer::ConnectionSet;
using decision::Direction;
using decision::Hook;
using decision::Object;
using policy::Action;
using policy::Policy;

namespace {

ConnectionSet tcp_to(const std::vector<net::PortRange>& ports) {
    return ConnectionSet::of(
        net::kTcp,
        analyzer::PortPairs::of(net::PortSet::of(ports), net::PortSet::of(net::PortRange{})));
}

class HostPoliciesChecker {
  public:
    HostPoliciesChecker(Context& context, Diagnostics& out)
        : context_(context), out_(out), atoms_({&context.lowered}) {}

    void run() {
        each_policy(context_, [&](const policy::OrderedTier&, const Policy& policy) {
            no_host_endpoint(policy);
        });
        if (context_.cluster.host_endpoints.empty())
            return;
        for (const policy::Workload& each : context_.cluster.workloads)
            workloads_.emplace(each.meta.span, &each);
        each_rule(context_, [&](const RuleView& view) { denied_failsafe(view); });
        for (const policy::HostEndpoint& host : context_.cluster.host_endpoints)
            untracked(host);
    }

  private:
    void no_host_endpoint(const Policy& policy) {
        const auto nodes = nodes_meant(context_, policy);
        if (!nodes.empty())
            out_.report(Code::NoHostEndpoint,
                        policy.selector && policy.selector->span.known() ? policy.selector->span
                                                                         : policy.meta.span,
                        {policy.meta.name, listed(nodes)})
                .about(name_of(policy))
                .with_hint("add a HostEndpoint for each node, or have kube-controllers make them "
                           "(KubeControllersConfiguration, controllers.node.hostEndpoint)");
    }

    // --- failsafe ports --------------------------------------------------------------------------

    /// Failsafe ports are let through before any policy of a host for its own packets.
    void denied_failsafe(const RuleView& view) {
        const policy::Rule& rule = view.rule;
        if (rule.action != Action::Deny || !rule.protocol || rule.destination.ports.empty())
            return;
        for (const policy::Port& port : rule.destination.ports) {
            const auto* range = std::get_if<net::PortRange>(&port.value);
            const auto host = range == nullptr ? std::nullopt
                                               : host_with_failsafes(view, **rule.protocol, *range);
            if (host)
                out_.report(Code::FailsafeDenied, port.span,
                            {rule_name(view), port_name(*range, **rule.protocol), *host})
                    .about(name_of(view.policy))
                    .with_hint(fmt::format("take the port out of {} in FelixConfiguration, or give "
                                           "its entry there a `net`",
                                           view.direction == Direction::Ingress
                                               ? "failsafeInboundHostPorts"
                                               : "failsafeOutboundHostPorts"));
        }
    }

    static std::string port_name(const net::PortRange& range, net::Protocol protocol) {
        return fmt::format("{}/{}",
                           range.first == range.last
                               ? std::to_string(range.first)
                               : fmt::format("{}-{}", range.first, range.last),
                           net::to_string_protocol(protocol));
    }

    /// A host endpoint that the policy governs, and where each port of the range is let through
    /// from and to anywhere.
    std::optional<std::string> host_with_failsafes(const RuleView& view, net::Protocol protocol,
                                                   const net::PortRange& range) {
        for (const decision::ObjectId id : context_.select(policy::subject_of(view.policy))) {
            const decision::Endpoint* endpoint =
                context_.object(id).kind == Object::Kind::HostEndpoint
                    ? context_.lowered.endpoint_of(id)
                    : nullptr;
            if (endpoint == nullptr)
                continue;
            std::vector<net::PortRange> open;
            for (const auto& each :
                 policy::failsafe_ports(context_.lowered.felix_of(endpoint->node), view.direction))
                if (each.protocol == protocol && !each.net)
                    open.push_back({each.port, each.port});
            if ((net::PortSet::of(range) - net::PortSet::of(open)).empty())
                return context_.object(id).name;
        }
        return std::nullopt;
    }

    // --- untracked policy ------------------------------------------------------------------------

    /// What untracked policy accepts on its way to a pod is accepted without a connection: the
    /// pod's answer over TCP belongs to none, is invalid and dropped.
    void untracked(const policy::HostEndpoint& host) {
        const auto found = context_.lowered.host_endpoints_by_name.find(host.meta.name);
        if (found == context_.lowered.host_endpoints_by_name.end())
            return;
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            if (const auto* program = context_.lowered.find(found->second, Direction::Ingress,
                                                            Hook::Untracked, family))
                untracked(host, *program);
    }

    void untracked(const policy::HostEndpoint& host, const decision::GroupProgram& group) {
        const decision::Program& program = context_.lowered.program(group.program);
        const analyzer::ProgramFlows flows(program, atoms_);
        for (std::size_t stage = 0; stage < program.stages.size(); ++stage)
            for (std::size_t i = 0; i < program.stages[stage].entries.size(); ++i) {
                const decision::Entry& entry = program.stages[stage].entries[i];
                const decision::Slot& slot = group.slots[entry.slot.value];
                if (entry.action != Action::Allow || told_.contains(slot.span))
                    continue;
                const auto pods = pods_behind(host, flows, stage, i);
                if (pods.empty())
                    continue;
                told_.insert(slot.span);
                out_.report(Code::UntrackedPods, slot.span,
                            {fmt::format("ingress[{}]", slot.rule_index), listed(pods)})
                    .about(policy::to_string(slot.policy))
                    .with_label(host.meta.span, "the host endpoint")
                    .with_hint("name the host's own addresses by destination.nets: untracked "
                               "policy is for its processes, not for pods");
            }
    }

    /// Pods of the host that the entry lets somebody outside send to.
    std::vector<std::string> pods_behind(const policy::HostEndpoint& host,
                                         const analyzer::ProgramFlows& flows, std::size_t stage,
                                         std::size_t entry) {
        auto& ends = context_.ends(flows.program().family);
        std::vector<std::string> out;
        for (const decision::Endpoint& endpoint : context_.lowered.endpoints) {
            if (endpoint.is_host_endpoint || endpoint.host_network ||
                (!endpoint.node.empty() && endpoint.node != host.node))
                continue;
            const Object& object = context_.object(endpoint.object);
            const auto pod = workloads_.find(object.span);
            const auto group = ends.group_of(endpoint.object);
            if (group && pod != workloads_.end() &&
                takes(flows, stage, entry, *group, *pod->second))
                out.push_back(object.name);
        }
        return out;
    }

    bool takes(const analyzer::ProgramFlows& flows, std::size_t stage, std::size_t entry,
               std::uint32_t pod_group, const policy::Workload& pod) {
        auto& ends = context_.ends(flows.program().family);
        std::vector<net::PortRange> ports;
        for (const policy::EndpointPort& each : pod.listens)
            if (each.protocol == net::kTcp)
                ports.push_back({each.port, each.port});
        // Where a pod does not say what it listens to, all of TCP must be taken.
        const bool declares = !pod.listens.empty();
        const ConnectionSet wanted = declares ? tcp_to(ports) : ConnectionSet::of(net::kTcp);
        for (std::uint32_t i = 0; i < ends.list().size(); ++i) {
            if (!ends.list()[i].is_outside())
                continue;
            const auto sets = flows.entry(stage, entry, ends.identity(i), ends.identity(pod_group));
            if (sets && !wanted.empty() &&
                (declares ? !(sets->sure & wanted).empty() : (wanted - sets->sure).empty()))
                return true;
        }
        return false;
    }

    Context& context_;
    Diagnostics& out_;
    analyzer::HttpAtoms atoms_;
    std::map<Span, const policy::Workload*> workloads_; ///< by the place of their name
    std::set<Span> told_;
};

} // namespace

void check_host_policies(Context& context, Diagnostics& out) {
    HostPoliciesChecker(context, out).run();
}

} // namespace polecat::lint
