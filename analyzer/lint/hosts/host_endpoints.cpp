// Host endpoints: lockouts, failsafe ports, hooks.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "analyzer/flows/program_flows.h"
#include "analyzer/flows/program_view.h"
#include "analyzer/labels/label_space.h"
#include "analyzer/lint/checks.h"
#include "analyzer/lint/egress_fixes.h"
#include "ir/policy/felix.h"
#include "ir/policy/scope.h"
#include "support/listed.h"

namespace polecat::lint {

using analyzer::ConnectionSet;
using decision::Direction;
using decision::Hook;
using decision::Object;
using decision::Program;
using policy::Policy;

namespace {

ConnectionSet tcp(std::uint16_t port) {
    return ConnectionSet::of(net::kTcp,
                             analyzer::PortPairs::of(net::PortSet::of(net::PortRange{port, port}),
                                                     net::PortSet::of(net::PortRange{})));
}

struct HostPort {
    std::uint16_t port;
    const char* name;
};
/// Without these nobody mends a node.
constexpr HostPort kVital[] = {{22, "SSH (22/TCP)"},
                               {6443, "the API server (6443/TCP)"},
                               {2379, "etcd (2379/TCP)"},
                               {2380, "etcd's peers (2380/TCP)"}};

class HostEndpointsChecker {
  public:
    HostEndpointsChecker(Context& context, Diagnostics& out)
        : context_(context), out_(out), atoms_({&context.lowered}) {
        each_policy(context, [&](const policy::OrderedTier&, const Policy& policy) {
            has_global_policy_ = has_global_policy_ || policy::is_global(policy.kind);
        });
    }

    void run() {
        for (const policy::HostEndpoint& host : context_.cluster.host_endpoints) {
            const auto found = context_.lowered.host_endpoints_by_name.find(host.meta.name);
            if (found != context_.lowered.host_endpoints_by_name.end())
                check(host, found->second);
        }
        check_failsafe_lists();
        each_policy(context_,
                    [&](const policy::OrderedTier&, const Policy& policy) { check_scope(policy); });
        each_rule(context_, [&](const RuleView& view) { check_node_ports(view); });
    }

  private:
    using UntrackedView = analyzer::ProgramView<analyzer::ProgramFlows>;

    const decision::GroupProgram* program(decision::ObjectId id, Direction direction,
                                          Hook hook) const {
        const auto* v4 = context_.lowered.find(id, direction, hook, net::Family::V4);
        return v4 != nullptr ? v4 : context_.lowered.find(id, direction, hook, net::Family::V6);
    }

    static bool has_policy(const decision::GroupProgram* program) {
        return program != nullptr && program->slots.any_enforced();
    }

    bool may_allow(decision::ObjectId id, Hook hook) const {
        for (const Direction direction : {Direction::Ingress, Direction::Egress})
            for (const net::Family family : {net::Family::V4, net::Family::V6})
                if (const auto* found = context_.lowered.find(id, direction, hook, family))
                    for (const auto& stage : context_.lowered.program(found->program).stages)
                        for (const decision::Entry& entry : stage.entries)
                            if (entry.action == decision::Action::Allow && !entry.staged)
                                return true;
        return false;
    }

    /// Where no normal policy and no profile is: that policy accepts before it comes to them.
    std::string what_gets_by(decision::ObjectId id) const {
        const bool before = may_allow(id, Hook::PreDnat),
                   untracked = may_allow(id, Hook::Untracked);
        if (!before && !untracked)
            return "the failsafe ports";
        return fmt::format("the failsafe ports and what {} policy allows",
                           before && untracked ? "preDNAT and untracked"
                           : before            ? "preDNAT"
                                               : "untracked");
    }

    void check(const policy::HostEndpoint& host, decision::ObjectId id) {
        if (host.meta.unread.known()) // Felix may know nothing of it
            return;
        check_untracked(host, id);
        const bool in = has_policy(program(id, Direction::Ingress, Hook::Normal));
        const bool out = has_policy(program(id, Direction::Egress, Hook::Normal));
        if (!in && !out && host.profiles.empty()) {
            const std::string by = what_gets_by(id);
            auto& diagnostic =
                report(Code::HostWithoutPolicy, host.meta.span, host, {host.meta.name, by});
            diagnostic.with_fact("gets_by", by)
                .with_hint("give it the profile projectcalico-default-allow until a policy "
                           "governs it");
            if (!has_global_policy_ && !context_.extent.is_whole()) {
                diagnostic.with_note("assumes that the policies of hosts are in the input");
                diagnostic.severity = diag::Severity::Warning;
            }
            return;
        }
        if (in != out && host.profiles.empty())
            one_direction(host, id, in);
        if (in) {
            lockout(host, id);
            exposed(host);
        }
    }

    /// A direction without policy comes to the profiles, and to the final drop where there are
    /// none.
    void one_direction(const policy::HostEndpoint& host, decision::ObjectId id, bool in) {
        const std::string by = what_gets_by(id), direction = in ? "ingress" : "egress";
        report(Code::HostOneDirection, host.meta.span, host,
               {host.meta.name, direction, in ? "sends" : "is sent", by})
            .with_fact("direction", direction)
            .with_fact("gets_by", by)
            .with_note("assumes that the policies of hosts are in the input")
            .with_hint(std::string("write ") + (in ? "egress" : "ingress") +
                       " rules for it, or give it the profile projectcalico-default-allow");
    }

    diag::Diagnostic& report(Code code, const Span& span, const policy::HostEndpoint& host,
                             std::initializer_list<std::string_view> args) {
        return out_.report(code, span, args).about("HostEndpoint " + host.meta.name);
    }

    /// What of `wanted` comes in from somebody, over any family that the host endpoint has.
    bool lets_in(decision::ObjectId id, const ConnectionSet& wanted) {
        bool any = false;
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            auto& ends = context_.ends(family);
            const auto group = ends.group_of(id);
            if (!group || !ends.list()[*group].ingress)
                continue;
            any = true;
            if (lets_in(*ends.list()[*group].ingress, *group, wanted))
                return true;
        }
        return !any; // it has no address
    }

    /// Through all hooks of the host endpoint.
    bool lets_in(decision::ProgramId ingress, std::uint32_t group, const ConnectionSet& wanted) {
        auto& view = context_.view(ingress);
        auto& ends = context_.ends(view.program().family);
        auto& store = context_.matches().store();
        const analyzer::SetStore::Id packets = store.intern(wanted);
        const auto& others = view.other_classes();
        return std::any_of(others.begin(), others.end(), [&](const analyzer::GroupClass& each) {
            const bool alone = each.group == group && each.groups == 1;
            return !alone &&
                   store.intersect(view.between(ends.identity(group), each.seen).may, packets) != 0;
        });
    }

    bool is_failsafe(std::uint16_t port) const {
        const auto& list = policy::failsafe_ports(context_.lowered.felix, Direction::Ingress);
        return std::any_of(list.begin(), list.end(), [&](const auto& each) {
            return each.protocol == net::kTcp && each.port == port;
        });
    }

    void lockout(const policy::HostEndpoint& host, decision::ObjectId id) {
        std::vector<std::string> closed;
        for (const HostPort& each : kVital)
            if (!is_failsafe(each.port) && !lets_in(id, tcp(each.port)))
                closed.push_back(each.name);
        if (!closed.empty())
            report(Code::HostLockout, host.meta.span, host,
                   {host.meta.name, listed(closed, closed.size())})
                .with_hint("allow it from where you work, or put the port into "
                           "failsafeInboundHostPorts");
        if (!is_failsafe(10250) && !lets_in(id, tcp(10250)))
            report(Code::KubeletLockout, host.meta.span, host, {host.meta.name})
                .with_hint("allow 10250/TCP from the control plane; it is no failsafe port");
    }

    void exposed(const policy::HostEndpoint& host) {
        if (told_exposed_)
            return;
        std::vector<std::string> ports;
        for (const auto& each : policy::failsafe_ports(context_.lowered.felix, Direction::Ingress))
            if (!each.net)
                ports.push_back(
                    fmt::format("{}/{}", each.port, net::to_string_protocol(each.protocol)));
        if (ports.empty())
            return;
        told_exposed_ = true;
        report(Code::FailsafeExposed, host.meta.span, host, {listed(ports, 4), host.meta.name})
            .with_hint(
                "list them in failsafeInboundHostPorts of FelixConfiguration `default`, each "
                "with a `net`");
    }

    /// Untracked packets have no connection: answers need a rule of their own.
    void check_untracked(const policy::HostEndpoint& host, decision::ObjectId id) {
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            const auto* in = context_.lowered.find(id, Direction::Ingress, Hook::Untracked, family);
            const auto* out = context_.lowered.find(id, Direction::Egress, Hook::Untracked, family);
            const auto group = context_.ends(family).group_of(id);
            if (in == nullptr || out == nullptr || !group)
                continue;
            check_answers(host, *group, *in, *out);
            check_answers(host, *group, *out, *in);
        }
    }

    void check_answers(const policy::HostEndpoint& host, std::uint32_t group,
                       const decision::GroupProgram& from, const decision::GroupProgram& to) {
        const Program& of = context_.lowered.program(from.program);
        // What goes on is tracked.
        const auto accepting = analyzer::accepting_only(context_.lowered.program(to.program));
        UntrackedView back(*accepting, {*accepting, atoms_}, context_.ends(of.family));
        for (const decision::Stage& stage : of.stages)
            for (const decision::Entry& entry : stage.entries) {
                const decision::Slot& slot = from.slots[entry.slot.value];
                if (entry.action != decision::Action::Allow || entry.staged ||
                    is_answered(of, entry, back, group) ||
                    !told_unanswered_.insert(slot.span).second)
                    continue;
                report(Code::NoReturnRule, slot.span, host,
                       {fmt::format("{}[{}]", decision::to_string(of.direction), slot.rule_index)})
                    .with_hint("allow the answers: same nets, the port as source port")
                    .with_fix(allow_answers(context_.cluster, slot));
            }
    }

    /// Some flow of the entry has an answer that `back` lets through.
    bool is_answered(const Program& of, const decision::Entry& entry, UntrackedView& back,
                     std::uint32_t group) {
        Program only = of;
        only.otherwise = decision::Action::Deny;
        only.stages.resize(1);
        only.stages.front().entries = {entry};
        only.stages.front().end = decision::StageEnd::Deny;
        auto& ends = context_.ends(of.family);
        UntrackedView there(only, {only, atoms_}, ends);
        const decision::Identity& mine = ends.identity(group);
        bool sends = false;
        const auto answered = [&](const decision::Identity& other) {
            const auto sent = there.between(mine, other);
            sends = sends || !sent.may.empty();
            return !(answers_to(sent.may) & back.between(mine, other).may).empty();
        };
        for (std::uint32_t i = 0; i < ends.list().size(); ++i)
            if (i != group && answered(ends.identity(i)))
                return true;
        // Its peers may not be in the input: somebody who is just what the entry asks for.
        decision::Identity meant;
        meant.family = of.family;
        meant.yes = there.asks_of_others();
        return !sends && (answered(meant) || !sends);
    }

    /// The same packets the other way round.
    static ConnectionSet answers_to(const ConnectionSet& sent) {
        ConnectionSet out = sent.without_requests();
        for (const net::Protocol protocol : {net::kIcmp, net::kIcmpV6})
            if (!sent.icmp_types(protocol).empty()) // a reply has another type than its request
                out = out | ConnectionSet::of(protocol);
        for (const net::Protocol protocol : {net::kTcp, net::kUdp, net::kSctp}) {
            out = out - ConnectionSet::of(protocol);
            for (const auto& row : sent.ports(protocol).rows())
                out = out | ConnectionSet::of(protocol,
                                              analyzer::PortPairs::of(
                                                  row.source, net::PortSet::of(row.destination)));
        }
        return out;
    }

    void check_failsafe_lists() {
        for (const policy::OtherObject& each : context_.cluster.others)
            for (const char* key : {"failsafeInboundHostPorts", "failsafeOutboundHostPorts"})
                if (each.kind == "FelixConfiguration" && each.spec.has(key) &&
                    each.spec.size(key) == 0)
                    out_.report(Code::FailsafeEmpty, each.meta.span, {key})
                        .about("FelixConfiguration " + each.meta.name);
    }

    void check_scope(const Policy& policy) {
        if (*policy.pre_dnat || *policy.do_not_track)
            return check_host_only(policy);
        if (!*policy.apply_on_forward)
            return;
        bool hosts = false, workloads = false;
        for (const decision::ObjectId id : context_.select(policy::subject_of(policy))) {
            hosts = hosts || context_.object(id).kind == Object::Kind::HostEndpoint;
            workloads = workloads || context_.object(id).kind == Object::Kind::Workload;
        }
        if (workloads && !hosts && knows_hosts_of(policy))
            out_.report(Code::ForwardOnWorkloads, policy.apply_on_forward.span, {policy.meta.name})
                .about(name_of(policy));
    }

    /// Felix applies no untracked policy at `*` (dataplane/linux/endpoint_mgr.go).
    void check_all_interfaces(const Policy& policy,
                              const std::vector<decision::ObjectId>& selected) {
        std::vector<std::string> names;
        for (const decision::ObjectId id : selected) {
            const decision::Endpoint* endpoint = context_.lowered.endpoint_of(id);
            if (endpoint == nullptr || !endpoint->is_host_endpoint)
                continue;
            if (endpoint->interface_name != "*")
                return;
            names.push_back("`" + context_.object(id).name + "`");
        }
        if (!names.empty())
            out_.report(Code::UntrackedAtAll, policy.do_not_track.span,
                        {policy.meta.name, listed(names, 3)})
                .about(name_of(policy))
                .with_hint("make a host endpoint of each interface that it is for");
    }

    /// The input has host endpoints, or the policy can't govern any.
    bool knows_hosts_of(const Policy& policy) const {
        const auto pods = selector::Selector::has(std::string(policy::kNamespaceLabel));
        return !context_.cluster.host_endpoints.empty() ||
               policy::is_present(policy.namespace_selector) ||
               policy::is_present(policy.service_account_selector) ||
               analyzer::find_labels({policy::subject_of(policy)}, {pods}).kind ==
                   analyzer::LabelAnswer::Kind::No;
    }

    /// What Calico enforces at host endpoints only, for workloads. Host endpoints that the input
    /// lacks must not be meant.
    void check_host_only(const Policy& policy) {
        const selector::Selector subject = policy::subject_of(policy);
        const auto selected = context_.select(subject);
        if (*policy.do_not_track)
            check_all_interfaces(policy, selected);
        const auto is = [&](Object::Kind kind) {
            return std::any_of(selected.begin(), selected.end(), [&](decision::ObjectId id) {
                return context_.object(id).kind == kind;
            });
        };
        if (knows_hosts_of(policy) && is(Object::Kind::Workload) && !is(Object::Kind::HostEndpoint))
            out_.report(Code::HostPolicyOnWorkloads,
                        *policy.pre_dnat ? policy.pre_dnat.span : policy.do_not_track.span,
                        {policy.meta.name, *policy.pre_dnat ? "preDNAT" : "doNotTrack"})
                .about(name_of(policy))
                .with_hint("select host endpoints, or make it a policy without it");
    }

    /// A node port in a rule that sees packets after they were translated to the pod's port.
    void check_node_ports(const RuleView& view) {
        const Policy& policy = view.policy;
        if (view.direction != Direction::Ingress || *policy.pre_dnat || *policy.do_not_track ||
            !policy::is_global(policy.kind) || context_.cluster.host_endpoints.empty())
            return;
        for (const policy::Port& port : view.rule.destination.ports) {
            const auto* range = std::get_if<net::PortRange>(&port.value);
            // A range beyond those of node ports means the pods' own ports.
            if (range == nullptr ||
                (range->first != range->last && (range->first < 30000 || range->last > 32767)))
                continue;
            for (const policy::Service& service : context_.cluster.services)
                for (const policy::ServicePort& each : service.ports)
                    if (each.node_port != 0 && range->first <= each.node_port &&
                        each.node_port <= range->last && governs_hosts(policy))
                        out_.report(Code::NodePortNotPreDnat, port.span,
                                    {rule_name(view), std::to_string(each.node_port)})
                            .about(name_of(policy))
                            .with_hint("set preDNAT: true and applyOnForward: true");
        }
    }

    bool governs_hosts(const Policy& policy) {
        for (const decision::ObjectId id : context_.select(policy::subject_of(policy)))
            if (context_.object(id).kind == Object::Kind::HostEndpoint)
                return true;
        return false;
    }

    Context& context_;
    Diagnostics& out_;
    analyzer::HttpAtoms atoms_;
    std::set<Span> told_unanswered_; ///< a rule is told once, not for every host endpoint
    bool told_exposed_ = false;
    bool has_global_policy_ = false;
};

} // namespace

void check_host_endpoints(Context& context, Diagnostics& out) {
    HostEndpointsChecker(context, out).run();
}

} // namespace polecat::lint
