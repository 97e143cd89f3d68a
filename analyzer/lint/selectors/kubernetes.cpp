// What Kubernetes NetworkPolicies show by themselves.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using policy::KubernetesNetworkPolicy;
using policy::KubernetesPeer;
using policy::KubernetesRule;

namespace {

bool selects_all(const policy::LabelSelector& selector) {
    return selector.match_labels.empty() && selector.expressions.empty();
}

class KubernetesChecker {
  public:
    KubernetesChecker(Context& context, Diagnostics& out) : out_(out) { find_empty(context); }

    void check(const KubernetesNetworkPolicy& policy) {
        object_ = to_string(policy_name(policy));
        for (const KubernetesRule& rule : policy.ingress)
            check(rule);
        for (const KubernetesRule& rule : policy.egress)
            check(rule);
        every_port(policy.ingress, "ingress", "from");
        every_port(policy.egress, "egress", "to");
    }

  private:
    void check(const KubernetesRule& rule) {
        if (rule.unread.known())
            return;
        for (const KubernetesPeer& peer : rule.peers) {
            const bool every_space =
                peer.namespace_selector && selects_all(*peer.namespace_selector);
            if (every_space && (!peer.pod_selector || selects_all(*peer.pod_selector)))
                out_.report(Code::EveryNamespace, peer.span).about(object_);
        }
        for (std::size_t i = 0; i + 1 < rule.peers.size(); ++i)
            either_or(rule.peers[i], rule.peers[i + 1]);
        for (const policy::KubernetesPort& port : rule.ports) {
            if (port.protocol || !port.port || !says_udp(*port.port) ||
                std::any_of(rule.ports.begin(), rule.ports.end(), [&](const auto& each) {
                    return each.port == port.port && each.protocol == net::kUdp;
                }))
                continue;
            const std::string text =
                std::visit([](const auto& value) { return fmt::format("{}", value); }, *port.port);
            out_.report(Code::PortWithoutProtocol, port.span, {text})
                .about(object_)
                .with_hint("write `protocol: UDP` if that is meant, or `protocol: TCP`");
        }
    }

    /// "- from" and "- ports" one after the other: the dash before the second one makes two rules
    /// of what looks like one, and a protocol alone is every port of it.
    void every_port(const std::vector<KubernetesRule>& rules, const char* direction,
                    const char* peers) {
        const auto with_peers =
            std::find_if(rules.begin(), rules.end(),
                         [](const KubernetesRule& rule) { return !rule.peers.empty(); });
        if (with_peers == rules.end())
            return;
        for (std::size_t i = 0; i < rules.size(); ++i)
            for (const policy::KubernetesPort& port : rules[i].ports)
                if (rules[i].peers.empty() && !port.port) {
                    const std::string other =
                        fmt::format("{}[{}]", direction, with_peers - rules.begin());
                    out_.report(Code::EveryPortRule, rules[i].span,
                                {fmt::format("{}[{}]", direction, i), peers,
                                 net::to_string_protocol(port.protocol.value_or(net::kTcp)), other})
                        .about(object_)
                        .with_label(with_peers->span, other)
                        .with_hint(fmt::format("for those of `{0}` only, put ports into the same "
                                               "item: no dash before `ports`",
                                               peers));
                }
    }

    /// Ports at which a reader thinks of UDP. Of others TCP is what was meant.
    static bool says_udp(const std::variant<std::uint16_t, std::string>& port) {
        static constexpr std::uint16_t kNumbers[] = {53,   67,   69,   123,  137,  138,  161,
                                                     162,  500,  514,  1194, 1812, 1813, 3478,
                                                     4500, 4789, 5353, 6343, 8125, 51820};
        static constexpr std::string_view kNames[] = {
            "dns",  "ntp",  "snmp", "syslog", "udp",  "statsd", "radius",   "tftp",
            "dhcp", "quic", "stun", "ipsec",  "mdns", "vxlan",  "wireguard"};
        if (const auto* number = std::get_if<std::uint16_t>(&port))
            return std::find(std::begin(kNumbers), std::end(kNumbers), *number) !=
                   std::end(kNumbers);
        const std::string& name = std::get<std::string>(port);
        return name.find("tcp") == name.npos &&
               std::any_of(std::begin(kNames), std::end(kNames),
                           [&](std::string_view each) { return name.find(each) != name.npos; });
    }

    /// "- podSelector" and "- namespaceSelector" one after the other: the dash before the second
    /// one makes two peers of what looks like one.
    void either_or(const KubernetesPeer& a, const KubernetesPeer& b) {
        const auto only_pods = [](const KubernetesPeer& peer) {
            return peer.pod_selector && !selects_all(*peer.pod_selector) &&
                   !peer.namespace_selector;
        };
        const auto only_spaces = [](const KubernetesPeer& peer) {
            return peer.namespace_selector && !peer.pod_selector;
        };
        if (!(only_pods(a) && only_spaces(b)) && !(only_spaces(a) && only_pods(b)))
            return;
        auto& diagnostic = out_.report(Code::PeerAndOr, b.span);
        diagnostic.about(object_)
            .with_label(a.span, "the other one")
            .with_hint("for pods of those namespaces, put both selectors into one peer: no dash "
                       "before the second");
        // Pods that are there may well be meant beside a namespace.
        if (!empty_.contains(only_pods(a) ? a.span : b.span))
            diagnostic.severity = diag::Severity::Note;
    }

    /// Peers that are known to mean nobody.
    void find_empty(Context& context) {
        each_rule(context, [&](const RuleView& view) {
            if (!is_kubernetes(view.policy))
                return;
            for (const policy::EntityRule* end : {&view.rule.source, &view.rule.destination}) {
                const auto peers = policy::peers_of(*end, view.policy.meta.space);
                if (peers && end->span.known() && context.select(*peers).empty() &&
                    context.extent.known(*peers, policy::Ends::Peers))
                    empty_.insert(end->span);
            }
        });
    }

    Diagnostics& out_;
    std::string object_;
    std::set<Span> empty_;
};

} // namespace

void check_kubernetes(Context& context, Diagnostics& out) {
    KubernetesChecker checker(context, out);
    for (const KubernetesNetworkPolicy& policy : context.cluster.kubernetes_policies)
        checker.check(policy);
}

} // namespace polecat::lint
