#include "passes/convert_kubernetes.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "ir/policy/order.h"
#include "ir/policy/scope.h"

namespace polecat::passes {

namespace {

using policy::LabelOperator;
using policy::LabelSelector;
using policy::Rule;
using policy::SelectorField;
using selector::Selector;

constexpr double kKubernetesOrder = 1000;
constexpr const char* kOrchestrator = "projectcalico.org/orchestrator";

SelectorField field(const Selector& parsed, Span span) {
    return {parsed.canonical(), parsed, span};
}

/// The ports of one protocol in one rule; an empty list means every port.
struct ProtocolPorts {
    std::optional<net::Protocol> protocol;
    Span span;
    bool every_port = false;
    std::vector<std::pair<net::PortRange, Span>> numbers;
    std::vector<std::pair<std::string, Span>> names;
};

/// One entry for each protocol, in the order of Calico's conversion: by the protocol's name,
/// entries without a protocol first.
class PortsByProtocol {
  public:
    ProtocolPorts& of(std::optional<net::Protocol> protocol, Span span) {
        auto& entry = entries_[protocol ? net::to_string_protocol(*protocol) : ""];
        entry.protocol = protocol;
        if (!entry.span.known())
            entry.span = span;
        return entry;
    }
    /// Any protocol and port, when the manifest names no ports.
    std::vector<ProtocolPorts> list() const {
        if (entries_.empty()) {
            ProtocolPorts any;
            any.every_port = true;
            return {any};
        }
        std::vector<ProtocolPorts> out;
        for (const auto& [name, entry] : entries_)
            out.push_back(entry);
        return out;
    }

  private:
    std::map<std::string, ProtocolPorts> entries_;
};

void add_ports(const ProtocolPorts& from, Rule& rule) {
    if (from.protocol)
        rule.protocol = At<net::Protocol>{*from.protocol, from.span};
    if (from.every_port)
        return;
    for (const auto& [name, span] : from.names)
        rule.destination.ports.push_back({name, span});
    std::vector<net::PortRange> numbers;
    for (const auto& [range, span] : from.numbers)
        numbers.push_back(range);
    // Calico's conversion makes one of adjacent ranges.
    const net::PortSet merged = net::PortSet::of(numbers);
    for (const net::PortRange& range : merged.ranges()) {
        const auto first =
            std::find_if(from.numbers.begin(), from.numbers.end(), [&](const auto& each) {
                return range.first <= each.first.first && each.first.first <= range.last;
            });
        rule.destination.ports.push_back({range, first->second});
    }
}

// --- NetworkPolicy -------------------------------------------------------------------------------

PortsByProtocol ports_of(const policy::KubernetesRule& rule) {
    PortsByProtocol out;
    for (const policy::KubernetesPort& port : rule.ports) {
        ProtocolPorts& entry = out.of(port.protocol.value_or(net::kTcp), port.span);
        if (!port.port) {
            entry.every_port = true;
        } else if (const auto* name = std::get_if<std::string>(&*port.port)) {
            entry.names.emplace_back(*name, port.span);
        } else {
            const auto first = std::get<std::uint16_t>(*port.port);
            entry.numbers.push_back({{first, port.end_port.value_or(first)}, port.span});
        }
    }
    return out;
}

void fill_peer(const policy::KubernetesPeer& peer, policy::EntityRule& into) {
    into.span = peer.span;
    if (peer.ip_block) {
        into.nets.push_back(peer.ip_block->cidr);
        into.not_nets = peer.ip_block->except;
        return;
    }
    into.selector =
        field(convert_selector(peer.pod_selector.value_or(LabelSelector{}), true), peer.span);
    if (peer.namespace_selector)
        into.namespace_selector =
            field(convert_selector(*peer.namespace_selector, false), peer.span);
}

std::vector<Rule> convert_rules(const std::vector<policy::KubernetesRule>& rules, bool ingress) {
    std::vector<Rule> out;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        Rule base;
        base.manifest_index = static_cast<std::uint32_t>(i);
        base.span = base.action_span = rules[i].span;
        base.unread = rules[i].unread;
        if (base.unread.known()) {
            out.push_back(std::move(base));
            continue;
        }
        for (const ProtocolPorts& ports : ports_of(rules[i]).list()) {
            Rule with_ports = base;
            add_ports(ports, with_ports);
            if (rules[i].peers.empty())
                out.push_back(with_ports);
            for (const policy::KubernetesPeer& peer : rules[i].peers) {
                Rule rule = with_ports;
                fill_peer(peer, ingress ? rule.source : rule.destination);
                out.push_back(std::move(rule));
            }
        }
    }
    return out;
}

// --- ClusterNetworkPolicy ------------------------------------------------------------------------

PortsByProtocol ports_of(const policy::ClusterRule& rule) {
    PortsByProtocol out;
    for (const policy::ClusterPort& port : rule.ports) {
        ProtocolPorts& entry = out.of(port.protocol, port.span);
        if (!port.named.empty())
            entry.names.emplace_back(port.named, port.span);
        else if (port.range)
            entry.numbers.push_back({*port.range, port.span});
        else
            entry.every_port = true;
    }
    return out;
}

void fill_peer(const policy::ClusterPeer& peer, policy::EntityRule& into) {
    into.span = peer.span;
    into.nets = peer.networks;
    into.domains = peer.domains;
    if (peer.nodes)
        into.nodes = field(convert_selector(*peer.nodes, false), peer.span);
    if (peer.pods)
        into.selector = field(convert_selector(*peer.pods, true), peer.span);
    if (peer.namespaces)
        into.namespace_selector = field(convert_selector(*peer.namespaces, false), peer.span);
}

policy::Action action_of(const std::string& text) {
    return text == "Accept" ? policy::Action::Allow
           : text == "Pass" ? policy::Action::Pass
                            : policy::Action::Deny;
}

/// clusternetworkpolicy.go, combinePortsWithCNPEgressPeers.
bool calico_converts(const policy::ClusterRule& rule) {
    return std::none_of(rule.peers.begin(), rule.peers.end(), [](const policy::ClusterPeer& peer) {
        return peer.nodes || !peer.domains.empty();
    });
}

std::vector<Rule> convert_rules(const std::vector<policy::ClusterRule>& rules, bool ingress,
                                Enforcer by) {
    std::vector<Rule> out;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        Rule base;
        base.manifest_index = static_cast<std::uint32_t>(i);
        base.name = rules[i].name;
        base.span = rules[i].span;
        base.action = action_of(rules[i].action.value);
        base.action_span = rules[i].action.span;
        base.unread = rules[i].unread;
        base.any_action = rules[i].any_action;
        if (base.any_action)
            base.action = policy::Action::Pass;
        if (base.unread.known()) {
            out.push_back(std::move(base));
            continue;
        }
        if (by == Enforcer::Calico && !calico_converts(rules[i])) {
            if (base.action != policy::Action::Allow) {
                base.action = policy::Action::Deny;
                out.push_back(std::move(base));
            }
            continue;
        }
        for (const ProtocolPorts& ports : ports_of(rules[i]).list())
            for (const policy::ClusterPeer& peer : rules[i].peers) {
                Rule rule = base;
                add_ports(ports, rule);
                fill_peer(peer, ingress ? rule.source : rule.destination);
                out.push_back(std::move(rule));
            }
    }
    return out;
}

Selector convert_expression(const LabelSelector::Expression& expression) {
    switch (expression.op) {
    case LabelOperator::In:
        return Selector::in(expression.key, expression.values);
    case LabelOperator::NotIn:
        return Selector::not_in(expression.key, expression.values);
    case LabelOperator::Exists:
        return Selector::has(expression.key);
    case LabelOperator::DoesNotExist:
        return Selector::negate(Selector::has(expression.key));
    }
    return Selector::all();
}

} // namespace

Selector convert_selector(const LabelSelector& source, bool pods) {
    std::vector<Selector> terms;
    if (pods)
        terms.push_back(Selector::equal(kOrchestrator, "k8s"));
    for (const auto& [key, value] : source.match_labels)
        terms.push_back(Selector::equal(key, value));
    for (const LabelSelector::Expression& expression : source.expressions)
        terms.push_back(convert_expression(expression));
    return Selector::all_of(std::move(terms));
}

policy::Policy convert(const policy::KubernetesNetworkPolicy& source) {
    policy::Policy out;
    out.meta = source.meta;
    const policy::PolicyName name = policy_name(source);
    out.kind = name.kind;
    out.manifest_kind = name.manifest_kind;
    out.staged_action = source.staged_action;
    out.order = At<double>{kKubernetesOrder, {}};
    out.selector = field(convert_selector(source.pod_selector, true), source.pod_selector.span);
    out.ingress_type = source.has_ingress_type;
    out.egress_type = source.has_egress_type;
    out.ingress = convert_rules(source.ingress, true);
    out.egress = convert_rules(source.egress, false);
    return out;
}

policy::Policy convert(const policy::ClusterNetworkPolicy& source, Enforcer by) {
    policy::Policy out;
    out.meta = source.meta;
    out.kind = policy::PolicyKind::KubernetesClusterNetworkPolicy;
    out.manifest_kind = source.kind;
    out.tier.value =
        source.tier == policy::ClusterTier::Admin ? policy::kAdminTier : policy::kBaselineTier;
    out.order = source.priority;
    out.place_unread = source.place_unread;
    const policy::ClusterPeer& subject = source.subject;
    out.selector =
        field(convert_selector(subject.pods.value_or(LabelSelector{}), true), subject.span);
    if (subject.namespaces)
        out.namespace_selector = field(convert_selector(*subject.namespaces, false), subject.span);
    out.ingress = convert_rules(source.ingress, true, by);
    out.egress = convert_rules(source.egress, false, by);
    out.ingress_type = !out.ingress.empty();
    out.egress_type = !out.egress.empty();
    return out;
}

namespace {

/// What a profile gives for an object: its labels and its name, all under a prefix.
policy::Labels prefixed(const std::string& prefix, const policy::Metadata& of) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& [key, value] : of.labels)
        out.emplace_back(prefix + std::string(key), value);
    out.emplace_back(prefix + std::string(policy::kCalicoNameLabel), of.name);
    return policy::Labels(out);
}

} // namespace

policy::Rule allow_all(const Span& span) {
    policy::Rule allow;
    allow.span = allow.action_span = span;
    return allow;
}

policy::Profile profile_of(const policy::Namespace& source) {
    policy::Profile out;
    out.meta.name = "kns." + source.meta.name;
    out.meta.span = source.meta.span;
    out.ingress.push_back(allow_all(source.meta.span));
    out.egress.push_back(allow_all(source.meta.span));
    out.labels_to_apply = prefixed("pcns.", source.meta);
    return out;
}

policy::Profile profile_of(const policy::ServiceAccount& source) {
    policy::Profile out;
    out.meta.name = "ksa." + source.meta.space + "." + source.meta.name;
    out.meta.span = source.meta.span;
    out.labels_to_apply = prefixed("pcsa.", source.meta);
    return out;
}

} // namespace polecat::passes
