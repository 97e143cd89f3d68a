/// ClusterNetworkPolicy (policy.networking.k8s.io/v1alpha2) and its predecessors AdminNetworkPolicy
/// and BaselineAdminNetworkPolicy (v1alpha1). Limits: the CRDs of network-policy-api.
#include "frontend/kinds/empty_value.h"
#include "frontend/kinds/kinds.h"
#include "frontend/kinds/label_selector.h"
#include "frontend/kinds/names.h"
#include "frontend/kinds/unread.h"

namespace polecat::frontend {

namespace {

using policy::ClusterNetworkPolicy;
using policy::ClusterPeer;

constexpr std::size_t kMaxPolicyRules = 25, kMaxItems = 25, kMaxRuleName = 100;

/// The version's differences: names of fields and values.
struct Dialect {
    bool v1alpha1 = false;
    bool baseline = false; ///< of v1alpha1: nothing comes behind it, so there is no Pass
    std::string_view accept() const { return v1alpha1 ? "Allow" : "Accept"; }
};

/// At most 25 items, reported at the first one too many.
std::vector<const yaml::Node*> limited(Fields& fields, std::string_view key, std::size_t limit) {
    auto out = fields.list(key);
    if (out.size() > limit)
        refuse_value(fields, out[limit]->span, fields.path_of(key),
                     "has more than " + std::to_string(limit) + " items");
    return out;
}

void read_pods(Fields fields, ClusterPeer& into) {
    // An absent selector is an empty one: every namespace, every pod.
    report_null(fields, "namespaceSelector", "every namespace");
    report_null(fields, "podSelector", "every pod of those namespaces");
    into.namespaces = read_label_selector(fields.mapping("namespaceSelector"));
    into.pods = read_label_selector(fields.mapping("podSelector"));
    fields.finish();
}

bool is_domain_name(std::string_view text) {
    if (text.substr(0, 2) == "*.")
        text.remove_prefix(2);
    return !text.empty() && text.find('*') == std::string_view::npos &&
           text.find_first_of(" /:") == std::string_view::npos;
}

/// A subject, or a peer when `peer`.
ClusterPeer read_peer(Fields fields, bool peer, bool egress) {
    ClusterPeer out;
    out.span = fields.span();
    int given = 0;
    if (fields.get("namespaces") != nullptr) {
        ++given;
        out.namespaces = read_label_selector(fields.mapping("namespaces"));
    }
    if (fields.get("pods") != nullptr) {
        ++given;
        read_pods(fields.mapping("pods"), out);
    }
    if (peer && egress) {
        const auto networks = fields.strings("networks");
        const auto domains = fields.strings("domainNames");
        given += (networks.empty() ? 0 : 1) + (domains.empty() ? 0 : 1);
        for (const At<std::string>& text : networks)
            if (const auto cidr = read_cidr(text, fields.path_of("networks"), fields))
                out.networks.push_back(*cidr);
        for (const At<std::string>& text : domains) {
            if (!is_domain_name(text.value))
                refuse_value(fields, text.span, fields.path_of("domainNames"),
                             "must be a domain name");
            out.domains.push_back(text);
        }
        if (networks.size() > kMaxItems)
            refuse_value(fields, fields.key_span("networks"), fields.path_of("networks"),
                         "has more than 25 items");
        if (fields.get("nodes") != nullptr) {
            ++given;
            out.nodes = read_label_selector(fields.mapping("nodes"));
        }
    }
    fields.finish();
    if (given != 1)
        refuse_value(fields, fields.span(), fields.path(),
                     given == 0 ? "must name namespaces, pods or another peer"
                                : "must have exactly one field");
    return out;
}

std::optional<net::PortRange> read_range(Fields fields) {
    const auto start = fields.integer("start"), end = fields.integer("end");
    fields.finish();
    if (!start || !end) {
        refuse_value(fields, fields.span(), fields.path(), "needs start and end");
        return std::nullopt;
    }
    const auto first = port_number(*start, fields.path_of("start"), fields);
    const auto last = port_number(*end, fields.path_of("end"), fields);
    if (first && last && *first >= *last)
        refuse_value(fields, end->span, fields.path_of("end"), "must be above start");
    if (!first || !last)
        return std::nullopt;
    return net::PortRange{*first, *last};
}

/// {number} or {range} below `destinationPort`; absent: every port.
std::optional<net::PortRange> read_destination(Fields fields) {
    const auto number = fields.integer("number");
    std::optional<net::PortRange> out;
    if (fields.get("range") != nullptr)
        out = read_range(fields.mapping("range"));
    fields.finish();
    if (number) {
        if (const auto port = port_number(*number, fields.path_of("number"), fields))
            out = net::PortRange{*port, *port};
    } else if (!out) {
        refuse_value(fields, fields.span(), fields.path(), "needs number or range");
    }
    return out;
}

/// A port's name. Felix drops the whole policy for one that Kubernetes doesn't take.
std::string read_port_name(Fields& fields, std::string_view key) {
    const auto name = fields.string(key);
    if (name && !is_port_name(name->value))
        refuse_port_name(fields, *name, fields.path_of(key));
    return name ? name->value : "";
}

/// v1alpha2: {tcp: {destinationPort: ...}}, {destinationNamedPort: name}.
void read_protocol(Fields fields, std::vector<policy::ClusterPort>& into) {
    policy::ClusterPort out;
    out.span = fields.span();
    int given = 0;
    const std::pair<const char*, net::Protocol> kinds[] = {
        {"tcp", net::kTcp}, {"udp", net::kUdp}, {"sctp", net::kSctp}};
    for (const auto& [key, protocol] : kinds) {
        if (!fields.has(key))
            continue;
        ++given;
        out.protocol = protocol;
        Fields inner = fields.mapping(key);
        report_null(inner, "destinationPort", std::string("every port of ") + key);
        if (inner.get("destinationPort") != nullptr)
            out.range = read_destination(inner.mapping("destinationPort"));
        inner.finish();
    }
    out.named = read_port_name(fields, "destinationNamedPort");
    given += out.named.empty() ? 0 : 1;
    fields.finish();
    if (given != 1)
        refuse_value(fields, fields.span(), fields.path(),
                     "must have exactly one of tcp, udp, sctp and destinationNamedPort");
    into.push_back(std::move(out));
}

/// v1alpha1: {portNumber: {protocol, port}}, {portRange: {protocol, start, end}}, {namedPort:
/// name}.
void read_port_v1alpha1(Fields fields, std::vector<policy::ClusterPort>& into) {
    policy::ClusterPort out;
    out.span = fields.span();
    int given = 0;
    const auto protocol = [&](Fields& inner) {
        const auto text = inner.string("protocol");
        out.protocol = text ? kubernetes_protocol(*text, inner.path_of("protocol"), inner)
                            : std::optional(net::kTcp);
    };
    if (fields.get("portNumber") != nullptr) {
        ++given;
        Fields inner = fields.mapping("portNumber");
        protocol(inner);
        const auto number = inner.integer("port");
        inner.finish();
        if (!number)
            refuse_value(inner, inner.span(), inner.path_of("port"), "is missing");
        else if (const auto port = port_number(*number, inner.path_of("port"), inner))
            out.range = net::PortRange{*port, *port};
    }
    if (const yaml::Node* range = fields.get("portRange"); range != nullptr) {
        ++given;
        Fields inner = fields.mapping("portRange");
        protocol(inner);
        yaml::Node bounds = *range;
        std::erase_if(bounds.members,
                      [](const yaml::Member& each) { return each.key == "protocol"; });
        inner.ignore({"start", "end"});
        inner.finish();
        out.range = read_range(Fields(&bounds, inner.path(), inner.object(), inner.diagnostics()));
    }
    out.named = read_port_name(fields, "namedPort");
    given += out.named.empty() ? 0 : 1;
    fields.finish();
    if (given != 1)
        refuse_value(fields, fields.span(), fields.path(),
                     "must have exactly one of portNumber, portRange and namedPort");
    into.push_back(std::move(out));
}

policy::ClusterRule read_rule(Fields fields, bool egress, const Dialect& dialect) {
    policy::ClusterRule out;
    const diag::Watch watch(fields.diagnostics());
    out.span = fields.span();
    if (const auto name = fields.string("name")) {
        out.name = name->value;
        if (out.name.size() > kMaxRuleName)
            refuse_value(fields, name->span, fields.path_of("name"),
                         "has more than 100 characters");
    }
    const auto action = fields.string("action");
    if (!action)
        refuse_value(fields, fields.span(), fields.path_of("action"), "is missing");
    else if (action->value != dialect.accept() && action->value != "Deny" &&
             (action->value != "Pass" || dialect.baseline))
        refuse_value(fields, action->span, fields.path_of("action"),
                     "must be " + std::string(dialect.accept()) +
                         (dialect.baseline ? " or Deny" : ", Deny or Pass"));
    else
        out.action = {action->value == "Allow" ? "Accept" : action->value, action->span};
    out.any_action = out.action->empty();
    const char* peers = egress ? "to" : "from";
    const auto ends = limited(fields, peers, kMaxItems);
    if (ends.empty())
        refuse_value(fields, fields.span(), fields.path_of(peers), "needs at least one peer");
    std::size_t index = 0;
    for (const yaml::Node* each : ends)
        out.peers.push_back(read_peer(item(each, fields, peers, index++), true, egress));
    const char* ports = dialect.v1alpha1 ? "ports" : "protocols";
    report_null(fields, ports, "every protocol and port");
    index = 0;
    for (const yaml::Node* each : limited(fields, ports, kMaxItems))
        (dialect.v1alpha1 ? read_port_v1alpha1 : read_protocol)(item(each, fields, ports, index++),
                                                                out.ports);
    fields.finish();
    if (const auto where = watch.error())
        out.unread = where->known() ? *where : out.span;
    return out;
}

std::vector<policy::ClusterRule> read_rules(Fields& spec, std::string_view key,
                                            const Dialect& dialect) {
    std::vector<policy::ClusterRule> out;
    std::size_t index = 0;
    const diag::Watch list(spec.diagnostics());
    const auto items = limited(spec, key, kMaxPolicyRules * (dialect.v1alpha1 ? 4 : 1));
    if (const auto where = list.error()) {
        policy::ClusterRule any;
        any.span = any.unread = where->known() ? *where : spec.key_span(key);
        any.any_action = true;
        out.push_back(std::move(any));
    }
    for (const yaml::Node* each : items)
        out.push_back(read_rule(item(each, spec, key, index++), key == "egress", dialect));
    return out;
}

void read_tier_and_priority(Fields& spec, ClusterNetworkPolicy& into) {
    const auto tier = spec.string("tier");
    if (!tier || (tier->value != "Admin" && tier->value != "Baseline"))
        refuse_value(spec, tier ? tier->span : spec.span(), spec.path_of("tier"),
                     "must be Admin or Baseline");
    else
        into.tier =
            tier->value == "Admin" ? policy::ClusterTier::Admin : policy::ClusterTier::Baseline;
}

void read_priority(Fields& spec, ClusterNetworkPolicy& into) {
    const auto priority = spec.integer("priority");
    if (!priority)
        refuse_value(spec, spec.span(), spec.path_of("priority"), "is missing");
    else if (priority->value < 0 || priority->value > 1000)
        refuse_value(spec, priority->span, spec.path_of("priority"), "must be between 0 and 1000");
    else
        into.priority = {static_cast<double>(priority->value), priority->span};
}

void read_body(Fields& spec, ClusterNetworkPolicy& into, const Dialect& dialect,
               diag::Watch& watch) {
    const diag::Watch subject(spec.diagnostics());
    if (spec.get("subject") == nullptr)
        refuse_value(spec, spec.span(), spec.path_of("subject"), "is missing");
    else
        into.subject = read_peer(spec.mapping("subject"), false, false);
    if (subject.error())
        into.subject = {}; // what could not be read narrows nothing
    into.ingress = watch.leaving_out([&] { return read_rules(spec, "ingress", dialect); });
    into.egress = watch.leaving_out([&] { return read_rules(spec, "egress", dialect); });
}

void finish(Fields& root, Fields& spec, const diag::Watch& watch, ClusterNetworkPolicy& into) {
    spec.finish();
    root.finish();
    forget_rules(into, watch.error());
}

} // namespace

void read_cluster_network_policy(ObjectContext& context) {
    Fields root(&context.root, "", object_label(context), context.diagnostics);
    diag::Watch watch(context.diagnostics);
    ClusterNetworkPolicy out;
    out.meta = read_metadata(root, false, diag::Severity::Error);
    root.ignore({"apiVersion", "kind", "status"});
    Fields spec = root.mapping("spec");
    const diag::Watch place(context.diagnostics);
    read_tier_and_priority(spec, out);
    read_priority(spec, out);
    out.place_unread = place.error().has_value();
    read_body(spec, out, {}, watch);
    finish(root, spec, watch, out);
    context.cluster.cluster_policies.push_back(std::move(out));
}

void read_admin_network_policy(ObjectContext& context) {
    Fields root(&context.root, "", object_label(context), context.diagnostics);
    diag::Watch watch(context.diagnostics);
    ClusterNetworkPolicy out;
    out.meta = read_metadata(root, false, diag::Severity::Error);
    out.kind = context.kind;
    root.ignore({"apiVersion", "kind", "status"});
    Fields spec = root.mapping("spec");
    if (context.kind == "BaselineAdminNetworkPolicy") {
        out.tier = policy::ClusterTier::Baseline;
        if (out.meta.name != "default")
            refuse_value(root, out.meta.span, "metadata.name", "must be `default`");
    } else {
        const diag::Watch place(context.diagnostics);
        read_priority(spec, out);
        out.place_unread = place.error().has_value();
    }
    read_body(spec, out, {true, context.kind == "BaselineAdminNetworkPolicy"}, watch);
    finish(root, spec, watch, out);
    context.cluster.cluster_policies.push_back(std::move(out));
}

} // namespace polecat::frontend
