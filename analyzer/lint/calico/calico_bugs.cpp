// What Calico's own dataplanes get wrong: for clusters that Calico enforces, not for polecat's own
// artefacts. Found by judging random clusters with Calico's code (docs/lint.md, docs/semantics.md).
#include <algorithm>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "ir/policy/scope.h"
#include "support/diag/fix.h"

namespace polecat::lint {

using policy::EntityRule;
using policy::Policy;
using policy::Rule;

namespace {

/// The dataplanes that may enforce: those of the input, or all where it does not say.
struct Dataplanes {
    bool iptables = true, nftables = true, bpf = true;
};

Dataplanes dataplanes_of(const Context& context) {
    switch (context.dataplane()) {
    case Dataplane::Auto:
        return {};
    case Dataplane::Iptables:
        return {true, false, false};
    case Dataplane::Nftables:
        return {false, true, false};
    case Dataplane::Bpf:
        return {false, false, true};
    case Dataplane::Polecat:
        return {false, false, false};
    }
    return {};
}

class CalicoBugsChecker {
  public:
    CalicoBugsChecker(const Context& context, Diagnostics& out)
        : context_(context), out_(out), planes_(dataplanes_of(context)) {}

    void run() {
        each_rule(context_, [&](const RuleView& view) { check(view); });
        for (const policy::Profile& profile : context_.cluster.profiles)
            check(profile);
        each_policy(context_, [&](const policy::OrderedTier&, const Policy& policy) {
            all_rewritten(policy);
        });
        if (context_.dataplane() == Dataplane::Bpf)
            for (const policy::HostEndpoint& host : context_.cluster.host_endpoints)
                forward_one_way(host);
    }

  private:
    diag::Diagnostic& report(Code code, const Span& span, const RuleView& view,
                             std::initializer_list<std::string> more = {}) {
        std::vector<std::string> args{rule_name(view)};
        args.insert(args.end(), more);
        auto& diagnostic = out_.report(code, span.known() ? span : view.rule.span, std::span(args));
        lower(diagnostic);
        return diagnostic.about(name_of(view.policy));
    }

    /// What only a dataplane gets wrong that nothing says is used: iptables is the one that Calico
    /// takes by itself.
    void lower(diag::Diagnostic& diagnostic) const {
        using diag::Severity;
        const Code code = diagnostic.code;
        if (context_.dataplane() != Dataplane::Auto)
            return;
        const bool not_iptables = code == Code::BpfProtocolName || code == Code::NftIcmpCode ||
                                  code == Code::BpfSctpPorts || code == Code::BpfProfileLog;
        diagnostic.severity =
            std::min(diagnostic.severity, not_iptables ? Severity::Note : Severity::Warning);
        diagnostic.usual = not_iptables;
    }

    void check(const RuleView& view) {
        three_lists(view);
        protocols(view);
        icmp(view);
        sctp_ports(view);
        not_nets(view);
    }

    /// Port slots of a list: a range takes two of the fifteen of one rule.
    static bool is_or_list(const std::vector<policy::Port>& ports) {
        std::size_t slots = 0;
        bool numbers = false, names = false;
        for (const policy::Port& port : ports) {
            if (const auto* range = std::get_if<net::PortRange>(&port.value)) {
                slots += range->first == range->last ? 1 : 2;
                numbers = true;
            } else {
                names = true;
            }
        }
        return slots > 15 || (numbers && names);
    }

    void three_lists(const RuleView& view) {
        const auto nets = [](const EntityRule& end, net::Family family) {
            return std::count_if(end.nets.begin(), end.nets.end(),
                                 [&](const auto& net) { return net->family() == family; }) > 1;
        };
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            const int lists = int{is_or_list(view.rule.source.ports)} +
                              int{is_or_list(view.rule.destination.ports)} +
                              int{nets(view.rule.source, family)} +
                              int{nets(view.rule.destination, family)};
            if (lists < 3 || !(planes_.iptables || planes_.nftables))
                continue;
            report(Code::ThreeLists, view.rule.span, view,
                   {planes_.iptables ? "iptables dataplane" : "nftables dataplane"})
                .with_hint("split it: one rule for each source net");
            return;
        }
    }

    static std::optional<diag::Fix> number_of(const At<net::Protocol>& protocol) {
        const std::string name = net::to_string_protocol(*protocol);
        if (protocol.span.length != name.size()) // in quotes a number would be a name
            return std::nullopt;
        return diag::replace_text(protocol.span, name, std::to_string(*protocol),
                                  "write its number");
    }

    void protocols(const RuleView& view) {
        const Rule& rule = view.rule;
        // A number works: it is at most three characters long, and these names are longer.
        const auto unknown = [](const At<net::Protocol>& protocol) {
            return (*protocol == net::kIcmpV6 || *protocol == net::kUdpLite) &&
                   !(protocol.span.known() && protocol.span.length <= 3);
        };
        if (rule.protocol && rule.not_protocol && planes_.iptables)
            report(Code::ProtocolTwice, rule.not_protocol->span, view)
                .with_hint("protocol alone says it");
        if (rule.protocol && unknown(*rule.protocol) && planes_.bpf)
            report(Code::BpfProtocolName, rule.protocol->span, view,
                   {net::to_string_protocol(**rule.protocol)})
                .with_hint(fmt::format("write the number: {}", **rule.protocol))
                .with_fix(number_of(*rule.protocol));
        if (rule.not_protocol && unknown(*rule.not_protocol) && planes_.bpf)
            report(Code::BpfProtocolName, rule.not_protocol->span, view,
                   {net::to_string_protocol(**rule.not_protocol)})
                .with_fix(number_of(*rule.not_protocol));
    }

    void icmp(const RuleView& view) {
        const Rule& rule = view.rule;
        if (rule.icmp && rule.icmp->code && planes_.nftables)
            report(Code::NftIcmpCode, rule.icmp->span, view, {"icmp with a code"})
                .with_note("it writes text that nft refuses, so that no policy of the node loads");
        else if (rule.not_icmp && rule.not_icmp->code && planes_.nftables)
            report(Code::NftIcmpCode, rule.not_icmp->span, view, {"notICMP with a code"})
                .with_note("it takes away the type and the code, each alone");
        if (rule.not_icmp && !rule.protocol && (planes_.iptables || planes_.bpf))
            report(Code::NotIcmpAlone, rule.not_icmp->span, view)
                .with_hint("add `protocol: ICMP` or `ICMPv6`, and a rule for the other protocols "
                           "if they are meant");
    }

    void sctp_ports(const RuleView& view) {
        if (!view.rule.protocol || **view.rule.protocol != net::kSctp || !planes_.bpf)
            return;
        for (const EntityRule* end : {&view.rule.source, &view.rule.destination}) {
            const auto named =
                std::find_if(end->ports.begin(), end->ports.end(), [](const policy::Port& port) {
                    return std::holds_alternative<std::string>(port.value);
                });
            if (named != end->ports.end())
                report(Code::BpfSctpPorts, named->span, view, {"named ports"})
                    .with_hint("write the number");
            else if (end->services)
                report(Code::BpfSctpPorts, end->services->span, view, {"service ports"});
        }
    }

    /// notNets of one family drop the rule for the other (felix/rules/policy.go).
    void not_nets(const RuleView& view) {
        if (view.rule.ip_version || view.rule.action == policy::Action::Allow)
            return;
        for (const EntityRule* end : {&view.rule.source, &view.rule.destination}) {
            if (end->not_nets.empty() || !end->nets.empty())
                continue;
            const auto has = [&](net::Family family) {
                return std::any_of(end->not_nets.begin(), end->not_nets.end(),
                                   [&](const auto& net) { return net->family() == family; });
            };
            const bool v4 = has(net::Family::V4);
            const auto used = context_.uses(v4 ? net::Family::V6 : net::Family::V4);
            if (v4 == has(net::Family::V6) || !used.value_or(true))
                continue;
            auto& diagnostic = report(Code::NotNetsGap, end->not_nets.front().span, view,
                                      {v4 ? "IPv6" : "IPv4", v4 ? "IPv4" : "IPv6"});
            diagnostic.with_hint("write the same rule for the other family");
            if (!used)
                diagnostic.severity = diag::Severity::Note;
        }
    }

    void check(const policy::Profile& profile) {
        for (const auto* rules : {&profile.ingress, &profile.egress})
            for (const Rule& rule : *rules) {
                if (rule.action == policy::Action::Log && planes_.bpf)
                    lower(out_.report(Code::BpfProfileLog, rule.span, {profile.meta.name})
                              .about("Profile " + profile.meta.name));
                if (rule.action == policy::Action::Pass)
                    out_.report(Code::ProfilePass, rule.span, {profile.meta.name})
                        .about("Profile " + profile.meta.name);
                for (const auto* services : {&rule.source.services, &rule.destination.services})
                    if (*services && (*services)->space.empty())
                        out_.report(Code::ServiceWithoutNamespace, (*services)->span,
                                    {fmt::format("{}[{}]",
                                                 rules == &profile.ingress ? "ingress" : "egress",
                                                 rule.manifest_index)})
                            .about("Profile " + profile.meta.name)
                            .with_hint("write services.namespace");
            }
    }

    /// all() is replaced in the whole text (updateprocessors/selectors.go).
    void all_rewritten(const Policy& policy) {
        if (!policy::is_global(policy.kind) || is_kubernetes(policy) || !policy.selector)
            return;
        const bool spaces = policy::is_present(policy.namespace_selector);
        const bool accounts = policy::is_present(policy.service_account_selector);
        const bool says_all = policy.selector->text.find("all(") != std::string::npos;
        // A selector that names namespaces or accounts leaves host endpoints out by itself.
        const auto takes_hosts = [](const Box<policy::SelectorField>& field) {
            return !policy::is_present(field) || field->parsed.matches(selector::Labels{});
        };
        if (says_all && (spaces || accounts) && takes_hosts(policy.namespace_selector) &&
            takes_hosts(policy.service_account_selector))
            out_.report(Code::AllRewritten, policy.selector->span,
                        {policy.meta.name, spaces ? "namespaceSelector" : "serviceAccountSelector"})
                .about(name_of(policy))
                .with_hint("host endpoints need a policy of their own");
    }

    /// Without policy of its own a direction is left to the host's rules by iptables, and accepted
    /// by BPF, once the other direction has some (felix/rules/endpoints.go, felix/bpf/polprog).
    void forward_one_way(const policy::HostEndpoint& host) {
        const auto found = context_.lowered.host_endpoints_by_name.find(host.meta.name);
        if (found == context_.lowered.host_endpoints_by_name.end())
            return;
        const bool in = has_forward(found->second, decision::Direction::Ingress);
        if (in != has_forward(found->second, decision::Direction::Egress))
            out_.report(Code::BpfForwardOneWay, host.meta.span,
                        {host.meta.name, in ? "ingress" : "egress", in ? "egress" : "ingress"})
                .about("HostEndpoint " + host.meta.name)
                .with_hint("give the other direction an applyOnForward policy too");
    }

    bool has_forward(decision::ObjectId id, decision::Direction direction) const {
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            const auto* program =
                context_.lowered.find(id, direction, decision::Hook::Forward, family);
            if (program != nullptr && program->slots.any_enforced())
                return true;
        }
        return false;
    }

    const Context& context_;
    Diagnostics& out_;
    Dataplanes planes_;
};

} // namespace

void check_calico_bugs(Context& context, Diagnostics& out) {
    if (context.settings.dataplane != Dataplane::Polecat)
        CalicoBugsChecker(context, out).run();
}

} // namespace polecat::lint
