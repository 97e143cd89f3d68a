#include "driver/reach/suggest_rule.h"

#include <fmt/format.h>

#include "ir/policy/scope.h"
#include "support/letters.h"

namespace polecat::driver {

namespace {

using decision::Direction;
using decision::Object;
using Labels = std::vector<std::pair<std::string, std::string>>;

/// Labels that people gave it; not those that a controller makes anew with each pod.
Labels own_labels(const Object& object) {
    Labels out;
    for (const auto& [label, value] : object.labels) {
        const bool made = label.starts_with(policy::kNamespacePrefix) ||
                          label.starts_with(policy::kServiceAccountPrefix) ||
                          label.starts_with("projectcalico.org/") || label == "pod-template-hash" ||
                          label == "controller-revision-hash" || label == "pod-template-generation";
        if (!made)
            out.emplace_back(label, value);
    }
    return out;
}

std::string space_of(const Object& object) {
    return std::string(object.labels.find(policy::kNamespaceLabel).value_or(""));
}

std::string cidr_of(const net::Address& address) {
    return net::to_string(
        net::Cidr{address, static_cast<std::uint8_t>(net::width(address.family))});
}

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text)
        out += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    return out + "\"";
}

std::string match_labels(const Labels& labels) {
    std::string out;
    for (const auto& [label, value] : labels)
        out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", quoted(label), quoted(value));
    return "{matchLabels: {" + out + "}}";
}

std::string selector_text(const Labels& labels) {
    std::string out;
    for (const auto& [label, value] : labels)
        out += fmt::format("{}{} == '{}'", out.empty() ? "" : " && ", label, value);
    return out;
}

class Writer {
  public:
    Writer(const decision::LoweredCluster& cluster, const RuleWanted& wanted)
        : cluster_(cluster), wanted_(wanted), ingress_(wanted.direction == Direction::Ingress) {}

    Result<std::string> write() const {
        if (wanted_.flow.http)
            return Error{"rules for HTTP requests are not suggested"};
        if (wanted_.policy.kind == policy::PolicyKind::KubernetesNetworkPolicy)
            return kubernetes_rule();
        if (wanted_.policy.kind == policy::PolicyKind::KubernetesClusterNetworkPolicy)
            return cluster_rule();
        return calico_rule();
    }

  private:
    /// The endpoint that a selector can name; nullptr: an address.
    const Object* object_of(const decision::End& end) const {
        if (end.objects.empty())
            return nullptr;
        const Object& object = cluster_.world.object(end.objects.front());
        return object.selectable && object.kind == Object::Kind::Workload ? &object : nullptr;
    }

    /// An end whose address is not known and that no selector names.
    Error nameless(const decision::End& end) const {
        if (!end.objects.empty()) {
            const Object& object = cluster_.world.object(end.objects.front());
            if (object.kind == Object::Kind::HostEndpoint)
                return Error{fmt::format("rules name HostEndpoint {} by its addresses only: give "
                                         "it expectedIPs",
                                         object.name)};
            return Error{fmt::format("no selector names {}, which uses its node's network, and no "
                                     "manifest gives its address",
                                     object.name)};
        }
        return Error{"the other end has no known address, and no selector names it"};
    }

    Error no_labels(const Object& object) const {
        return Error{fmt::format("{} has no label of its own by which a rule could name it alone: "
                                 "give it one",
                                 object.name)};
    }

    Result<std::string> kubernetes_rule() const {
        if (!net::has_ports(wanted_.flow.protocol))
            return Error{fmt::format("a Kubernetes NetworkPolicy has no words for {}",
                                     net::to_string_protocol(wanted_.flow.protocol))};
        const decision::End& peer = ingress_ ? wanted_.flow.source : wanted_.flow.destination;
        std::string out = ingress_ ? "- from:\n" : "- to:\n";
        if (const Object* object = object_of(peer)) {
            const Labels labels = own_labels(*object);
            if (labels.empty())
                return no_labels(*object);
            const bool near = space_of(*object) == wanted_.policy.space;
            if (!near)
                out +=
                    fmt::format("  - namespaceSelector: {}\n",
                                match_labels({{"kubernetes.io/metadata.name", space_of(*object)}}));
            out += fmt::format("  {} podSelector: {}\n", near ? "-" : " ", match_labels(labels));
        } else if (peer.address) {
            out += fmt::format("  - ipBlock: {{cidr: {}}}\n", quoted(cidr_of(*peer.address)));
        } else {
            return nameless(peer);
        }
        out += fmt::format("  ports:\n  - {{protocol: {}{}}}\n",
                           net::to_string_protocol(wanted_.flow.protocol),
                           wanted_.flow.destination_port
                               ? fmt::format(", port: {}", *wanted_.flow.destination_port)
                               : "");
        return out;
    }

    /// ClusterNetworkPolicy, or AdminNetworkPolicy and BaselineAdminNetworkPolicy before it.
    Result<std::string> cluster_rule() const {
        const bool old = wanted_.policy.manifest_kind != "ClusterNetworkPolicy";
        const decision::Flow& flow = wanted_.flow;
        if (!net::has_ports(flow.protocol) || (old && !flow.destination_port))
            return Error{fmt::format("{} has no words for {}", wanted_.policy.manifest_kind,
                                     net::to_string_protocol(flow.protocol))};
        const decision::End& peer = ingress_ ? flow.source : flow.destination;
        std::string out = fmt::format("- action: {}\n  {}:\n", old ? "Allow" : "Accept",
                                      ingress_ ? "from" : "to");
        if (const Object* object = object_of(peer)) {
            const Labels labels = own_labels(*object);
            if (labels.empty())
                return no_labels(*object);
            out += fmt::format("  - pods:\n      namespaceSelector: {}\n      podSelector: {}\n",
                               match_labels({{"kubernetes.io/metadata.name", space_of(*object)}}),
                               match_labels(labels));
        } else if (peer.address && !ingress_) {
            out += fmt::format("  - networks: [{}]\n", quoted(cidr_of(*peer.address)));
        } else {
            return Error{fmt::format("the rules of {} name pods only, and the other end is none",
                                     wanted_.policy.manifest_kind)};
        }
        const std::string protocol = net::to_string_protocol(flow.protocol);
        if (old)
            return out + fmt::format("  ports:\n  - portNumber: {{protocol: {}, port: {}}}\n",
                                     protocol, *flow.destination_port);
        return out + fmt::format("  protocols:\n  - {}: {{{}}}\n", lower_case(protocol),
                                 flow.destination_port
                                     ? fmt::format("destinationPort: {{number: {}}}",
                                                   *flow.destination_port)
                                     : "");
    }

    /// Fields of `source` or `destination`.
    Result<std::string> calico_end(const decision::End& end, bool own) const {
        const Object* object = object_of(end);
        if (object == nullptr && end.address)
            return fmt::format("nets: [{}]", quoted(cidr_of(*end.address)));
        if (object == nullptr && own)
            return std::string(); // the policy's selector names it
        if (object == nullptr)
            return nameless(end);
        const Labels labels = own_labels(*object);
        if (labels.empty())
            return no_labels(*object);
        std::string out = "selector: " + quoted(selector_text(labels));
        if (own && !wanted_.policy.space.empty())
            return out;
        if (space_of(*object) != wanted_.policy.space)
            out += ", namespaceSelector: " +
                   quoted(selector_text({{"projectcalico.org/name", space_of(*object)}}));
        return out;
    }

    Result<std::string> calico_rule() const {
        std::string out = "- action: Allow\n";
        const decision::Flow& flow = wanted_.flow;
        out += fmt::format("  protocol: {}\n", net::to_string_protocol(flow.protocol));
        if (flow.icmp_type)
            out += fmt::format("  icmp: {{type: {}{}}}\n", *flow.icmp_type,
                               flow.icmp_code ? fmt::format(", code: {}", *flow.icmp_code) : "");
        for (const bool source : {true, false}) {
            const bool own = source != ingress_;
            std::string fields;
            if (!own || wanted_.name_own_end) {
                const auto text = calico_end(source ? flow.source : flow.destination, own);
                if (!text)
                    return Error{text.error()};
                fields = *text;
            }
            if (!source && flow.destination_port)
                fields += fmt::format("{}ports: [{}]", fields.empty() ? "" : ", ",
                                      *flow.destination_port);
            if (!fields.empty())
                out += fmt::format("  {}: {{{}}}\n", source ? "source" : "destination", fields);
        }
        return out;
    }

    const decision::LoweredCluster& cluster_;
    const RuleWanted& wanted_;
    bool ingress_;
};

} // namespace

Result<std::string> rule_text(const decision::LoweredCluster& cluster, const RuleWanted& wanted) {
    return Writer(cluster, wanted).write();
}

} // namespace polecat::driver
