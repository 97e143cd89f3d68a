#include "analyzer/lint/egress_fixes.h"

#include <algorithm>

#include <fmt/format.h>

#include "analyzer/lint/context.h"
#include "support/diag/fix.h"

namespace polecat::lint {

using policy::Action;
using policy::KubernetesNetworkPolicy;
using policy::KubernetesPeer;
using policy::KubernetesPort;
using policy::KubernetesRule;
using policy::Policy;
using policy::PolicyKind;
using policy::Rule;

namespace {

constexpr std::uint16_t kAddedDnsPort = 53;

const KubernetesNetworkPolicy* find_kubernetes(const policy::Cluster& cluster,
                                               const policy::PolicyName& name) {
    for (const KubernetesNetworkPolicy& each : cluster.kubernetes_policies)
        if (name.kind == PolicyKind::KubernetesNetworkPolicy && policy_name(each) == name)
            return &each;
    return nullptr;
}

/// Of Calico, enforced.
const Policy* find_calico(const policy::Cluster& cluster, const policy::PolicyName& name) {
    if (name.kind != PolicyKind::GlobalNetworkPolicy && name.kind != PolicyKind::NetworkPolicy)
        return nullptr;
    for (const Policy& each : cluster.policies)
        if (policy_name(each) == name)
            return &each;
    return nullptr;
}

/// Where a rule goes: behind what is denied on purpose, before what denies the rest.
std::optional<std::size_t> before_the_rest(const Policy& policy) {
    if (policy.egress.empty() || !policy::asks_nothing(policy.egress.back()))
        return std::nullopt;
    return policy.egress.back().manifest_index;
}

std::string calico_rule(const char* protocol, const std::string& spaces,
                        const std::string& selector) {
    const std::string where =
        spaces.empty() ? "" : fmt::format("namespaceSelector: \"{}\", ", spaces);
    return fmt::format(
        "{{action: Allow, protocol: {}, destination: {{{}selector: \"{}\", ports: [53]}}}}",
        protocol, where, selector);
}

// --- the TCP counterpart -------------------------------------------------------------------------

bool names(const KubernetesPort& port, net::Protocol protocol) {
    return port.protocol.value_or(net::kTcp) == protocol && port.port && !port.end_port &&
           *port.port == std::variant<std::uint16_t, std::string>(kAddedDnsPort);
}

bool means(const KubernetesPeer& peer, const DnsPods& pods) {
    if (peer.ip_block || !peer.pod_selector)
        return false;
    const auto& labels = peer.pod_selector->match_labels;
    return std::find(labels.begin(), labels.end(), std::pair(pods.label, pods.value)) !=
           labels.end();
}

std::optional<diag::Fix> tcp_beside(const KubernetesNetworkPolicy& policy, const DnsPods& pods) {
    const KubernetesRule* found = nullptr;
    for (const KubernetesRule& rule : policy.egress) {
        const bool udp = std::any_of(rule.ports.begin(), rule.ports.end(),
                                     [](const auto& port) { return names(port, net::kUdp); });
        if (!udp)
            continue;
        const bool narrow = !rule.peers.empty() && std::all_of(rule.peers.begin(), rule.peers.end(),
                                                               [&](const KubernetesPeer& peer) {
                                                                   return means(peer, pods);
                                                               });
        if (found != nullptr || !narrow)
            return std::nullopt;
        found = &rule;
    }
    if (found == nullptr || std::any_of(found->ports.begin(), found->ports.end(),
                                        [](const auto& port) { return names(port, net::kTcp); }))
        return std::nullopt;
    return diag::add_to_mapping(found->span, "ports", "[{protocol: TCP, port: 53}]",
                                "allow 53/TCP beside 53/UDP");
}

bool allows_dns(const Rule& rule, net::Protocol protocol) {
    const auto& ports = rule.destination.ports;
    const auto* range = ports.size() == 1 ? std::get_if<net::PortRange>(&ports[0].value) : nullptr;
    return rule.action == Action::Allow && rule.protocol && **rule.protocol == protocol &&
           range != nullptr && *range == net::PortRange{kAddedDnsPort, kAddedDnsPort};
}

/// It may deny DNS, or hand it on, and is not the end that takes everything: so somebody wants it.
bool rule_may_deny_dns(const Rule& rule, net::Protocol protocol) {
    if (rule.action == Action::Allow || rule.action == Action::Log || policy::asks_nothing(rule) ||
        (rule.protocol && **rule.protocol != protocol) ||
        (rule.not_protocol && **rule.not_protocol == protocol))
        return false;
    const auto& ports = rule.destination.ports;
    return ports.empty() || std::any_of(ports.begin(), ports.end(), [](const policy::Port& port) {
               const auto* range = std::get_if<net::PortRange>(&port.value);
               return range == nullptr ||
                      (range->first <= kAddedDnsPort && kAddedDnsPort <= range->last);
           });
}

/// Nothing but a selector of those pods, and namespaces: what can be said again word for word.
bool says_only(const Rule& rule, const DnsPods& pods) {
    Rule rest = rule;
    rest.protocol.reset();
    rest.destination.ports.clear();
    rest.destination.selector = {};
    rest.destination.namespace_selector = {};
    const auto simple = [](const Box<policy::SelectorField>& field) {
        return !field || field->text.find_first_of("\"\\\n") == std::string::npos;
    };
    return policy::asks_nothing(rest) && rule.destination.selector &&
           rule.destination.selector->parsed == selector::Selector::equal(pods.label, pods.value) &&
           simple(rule.destination.selector) && simple(rule.destination.namespace_selector);
}

std::optional<diag::Fix> tcp_behind(const Policy& policy, const DnsPods& pods) {
    const Rule* found = nullptr;
    for (const Rule& rule : policy.egress) {
        if (allows_dns(rule, net::kTcp) && says_only(rule, pods))
            return std::nullopt; // something else is in the way
        if (found != nullptr && rule_may_deny_dns(rule, net::kTcp))
            return std::nullopt; // before it, the new rule would open what it denies
        if (!allows_dns(rule, net::kUdp))
            continue;
        if (found != nullptr || !says_only(rule, pods))
            return std::nullopt;
        found = &rule;
    }
    if (found == nullptr)
        return std::nullopt;
    const auto& spaces = found->destination.namespace_selector;
    diag::Fix fix = diag::add_to_object(
        policy.meta.span, "spec.egress",
        "[" + calico_rule("TCP", spaces ? spaces->text : "", found->destination.selector->text) +
            "]",
        "allow 53/TCP beside 53/UDP");
    fix.addition->index = found->manifest_index + 1;
    return fix;
}

// --- answers of untracked rules ------------------------------------------------------------------

/// A protocol with ports, numbers of own ports, and nets of the other side; nothing else.
bool is_plain_service(const Rule& rule) {
    Rule rest = rule;
    rest.protocol.reset();
    rest.ip_version.reset();
    rest.source.nets.clear();
    rest.destination.ports.clear();
    const auto& ports = rule.destination.ports;
    return rule.action == Action::Allow && rule.protocol && net::has_ports(**rule.protocol) &&
           !ports.empty() && policy::asks_nothing(rest) &&
           std::all_of(ports.begin(), ports.end(), [](const policy::Port& port) {
               return std::holds_alternative<net::PortRange>(port.value);
           });
}

std::string answers_to(const Rule& rule) {
    std::string ports, nets;
    for (const policy::Port& port : rule.destination.ports) {
        const auto& range = std::get<net::PortRange>(port.value);
        ports += ports.empty() ? "" : ", ";
        ports += range.first == range.last ? fmt::format("{}", range.first)
                                           : fmt::format("\"{}:{}\"", range.first, range.last);
    }
    for (const At<net::Cidr>& each : rule.source.nets)
        nets += (nets.empty() ? "" : ", ") + diag::content_word(net::to_string(*each));
    const std::string version =
        rule.ip_version ? fmt::format("ipVersion: {}, ", **rule.ip_version) : "";
    return fmt::format("[{{action: Allow, {}protocol: {}, source: {{ports: [{}]}}{}}}]", version,
                       net::to_string_protocol(**rule.protocol), ports,
                       nets.empty() ? "" : ", destination: {nets: [" + nets + "]}");
}

// --- an address that is left out -----------------------------------------------------------------

bool holds(const At<net::Cidr>& net, const net::Address& address) {
    return (*net).contains(address);
}

std::string whole(const net::Address& address) {
    return net::to_string(address) + (address.family == net::Family::V4 ? "/32" : "/128");
}

} // namespace

std::optional<diag::Fix> allow_dns(const policy::Cluster& cluster,
                                   const decision::PolicyBlock& block, const DnsPods& pods) {
    const char* what = "allow DNS";
    if (const auto* found = find_kubernetes(cluster, block.policy))
        return diag::add_to_object(
            found->meta.span, "spec.egress",
            fmt::format("[{{to: [{{namespaceSelector: {{matchLabels: {{"
                        "kubernetes.io/metadata.name: {}}}}}, podSelector: {{matchLabels: {{{}: "
                        "{}}}}}}}], ports: [{{protocol: UDP, port: 53}}, {{protocol: TCP, port: "
                        "53}}]}}]",
                        diag::content_word(pods.space), pods.label, pods.value),
            what);
    const Policy* found = find_calico(cluster, block.policy);
    if (found == nullptr)
        return std::nullopt;
    const std::string spaces = fmt::format("projectcalico.org/name == '{}'", pods.space);
    const std::string selector = fmt::format("{} == '{}'", pods.label, pods.value);
    diag::Fix fix = diag::add_to_object(found->meta.span, "spec.egress",
                                        "[" + calico_rule("UDP", spaces, selector) + ", " +
                                            calico_rule("TCP", spaces, selector) + "]",
                                        what);
    fix.addition->index = before_the_rest(*found);
    return fix;
}

bool may_deny_dns(const policy::Cluster& cluster, const decision::PolicyBlock& block,
                  net::Protocol protocol) {
    const Policy* found = find_calico(cluster, block.policy);
    return found != nullptr &&
           std::any_of(found->egress.begin(), found->egress.end(),
                       [&](const Rule& rule) { return rule_may_deny_dns(rule, protocol); });
}

std::optional<diag::Fix> allow_answers(const policy::Cluster& cluster, const decision::Slot& slot) {
    const Policy* found = find_calico(cluster, slot.policy);
    if (found == nullptr || !found->egress_type)
        return std::nullopt;
    for (const Rule& rule : found->ingress) {
        if (rule.span != slot.span || !is_plain_service(rule))
            continue;
        diag::Fix fix = diag::add_to_object(found->meta.span, "spec.egress", answers_to(rule),
                                            "allow the answers");
        fix.addition->index = before_the_rest(*found);
        return fix;
    }
    return std::nullopt;
}

std::optional<diag::Fix> allow_dns_tcp(const policy::Cluster& cluster,
                                       const decision::PolicyBlock& block, const DnsPods& pods) {
    if (const auto* found = find_kubernetes(cluster, block.policy))
        return tcp_beside(*found, pods);
    const Policy* found = find_calico(cluster, block.policy);
    return found != nullptr ? tcp_behind(*found, pods) : std::nullopt;
}

std::optional<diag::Fix> leave_out(const policy::Cluster& cluster, const decision::Slot& slot,
                                   const net::Address& address) {
    const std::string content = "[" + whole(address) + "]";
    const std::string what = "leave " + net::to_string(address) + " out";
    if (const auto* found = find_kubernetes(cluster, slot.policy)) {
        if (slot.rule_index >= found->egress.size())
            return std::nullopt;
        const KubernetesPeer* open = nullptr;
        for (const KubernetesPeer& peer : found->egress[slot.rule_index].peers)
            if (peer.ip_block && holds(peer.ip_block->cidr, address)) {
                // What is left out must be a part of the net.
                if (open != nullptr || (*peer.ip_block->cidr).base == address)
                    return std::nullopt;
                open = &peer;
            }
        return open == nullptr ? std::nullopt
                               : std::optional(diag::add_to_mapping(open->ip_block->cidr.span,
                                                                    "except", content, what));
    }
    const Policy* found = find_calico(cluster, slot.policy);
    if (found == nullptr)
        return std::nullopt;
    for (const Rule& rule : found->egress) {
        const policy::EntityRule& end = rule.destination;
        // Without nets a rule is for both families, and notNets would make it one for IPv4 only.
        if (rule.manifest_index == slot.rule_index &&
            std::any_of(end.nets.begin(), end.nets.end(),
                        [&](const auto& net) { return holds(net, address); }))
            return diag::add_to_mapping(end.span, "notNets", content, what);
    }
    return std::nullopt;
}

} // namespace polecat::lint
