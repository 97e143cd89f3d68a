/// networking.k8s.io/v1 NetworkPolicy. Rules of the API server: pkg/apis/networking/validation.
#include <algorithm>

#include "frontend/kinds/empty_value.h"
#include "frontend/kinds/kinds.h"
#include "frontend/kinds/label_selector.h"
#include "frontend/kinds/names.h"
#include "frontend/kinds/unread.h"
#include "support/diag/fix.h"

namespace polecat::frontend {

namespace {

using policy::KubernetesNetworkPolicy;

Fields item_fields(const yaml::Node* item, Fields& parent, std::string_view key,
                   std::size_t index) {
    return Fields(item, parent.path_of(key) + "[" + std::to_string(index) + "]", parent.object(),
                  parent.diagnostics());
}

/// A number or a name; false when neither.
bool read_port_value(Fields& fields, policy::KubernetesPort& out) {
    const yaml::Node* node = fields.get("port");
    if (node == nullptr)
        return true;
    const std::string path = fields.path_of("port");
    if (const auto number = as_integer(*node, path, fields.object(), fields.diagnostics())) {
        const auto port = port_number({*number, node->span}, path, fields);
        if (port)
            out.port = *port;
        return port.has_value();
    }
    const auto name = as_text(*node, path, fields.object(), fields.diagnostics());
    if (!name)
        return false;
    if (!is_port_name(name->value)) {
        refuse_port_name(fields, *name, path);
        return false;
    }
    out.port = name->value;
    return true;
}

void read_port(Fields fields, std::vector<policy::KubernetesPort>& into) {
    policy::KubernetesPort out;
    out.span = fields.span();
    const auto protocol = fields.string("protocol");
    report_null(fields, "port", "every port of " + (protocol ? protocol->value : "TCP"));
    bool good = read_port_value(fields, out);
    const auto end = fields.integer("endPort");
    fields.finish();
    if (protocol) {
        out.protocol = kubernetes_protocol(*protocol, fields.path_of("protocol"), fields);
        good &= out.protocol.has_value();
    }
    if (end) {
        out.end_port = port_number(*end, fields.path_of("endPort"), fields);
        const auto* first = out.port ? std::get_if<std::uint16_t>(&*out.port) : nullptr;
        if (first == nullptr)
            refuse_value(fields, end->span, fields.path_of("endPort"), "needs a numeric port");
        else if (out.end_port && *out.end_port < *first)
            refuse_value(fields, end->span, fields.path_of("endPort"), "must not be below port");
    }
    if (good)
        into.push_back(std::move(out));
}

/// An address without a length: only what admits nothing else is certain, and one whose last
/// digits are zero may be a net.
std::optional<diag::Fix> one_address(const At<std::string>& text) {
    const auto address = net::parse_address(text.value);
    if (!address || (address->low & 0xFF) == 0)
        return std::nullopt;
    const char* length = address->family == net::Family::V4 ? "/32" : "/128";
    return diag::replace_text(text.span, text.value, text.value + length, "write one address");
}

std::optional<policy::IpBlock> read_ip_block(Fields fields) {
    policy::IpBlock out;
    const auto cidr = fields.string("cidr");
    report_null(fields, "except", "no address of it is left out");
    const auto except = fields.strings("except");
    fields.finish();
    if (!cidr) {
        refuse_value(fields, fields.span(), fields.path_of("cidr"), "is missing");
        return std::nullopt;
    }
    if (const auto fix = one_address(*cidr)) {
        refuse_value(fields, cidr->span, fields.path_of("cidr"),
                     "must be a CIDR such as 10.0.0.0/8")
            .with_hint("for this address alone, add its length")
            .with_fix(fix);
        return std::nullopt;
    }
    const auto parsed = read_cidr(*cidr, fields.path_of("cidr"), fields);
    if (!parsed)
        return std::nullopt;
    out.cidr = *parsed;
    for (const At<std::string>& each : except) {
        const auto hole = read_cidr(each, fields.path_of("except"), fields);
        if (!hole)
            continue;
        if (!parsed->value.contains(hole->value.first()) ||
            hole->value.prefix <= parsed->value.prefix)
            refuse_value(fields, each.span, fields.path_of("except"),
                         "must be a strict part of cidr");
        out.except.push_back(*hole);
    }
    return out;
}

void read_peer(Fields fields, std::vector<policy::KubernetesPeer>& into) {
    policy::KubernetesPeer out;
    out.span = fields.span();
    // An empty mapping is a selector of everything; null is no selector at all.
    if (fields.get("podSelector") != nullptr)
        out.pod_selector = read_label_selector(fields.mapping("podSelector"));
    if (fields.get("namespaceSelector") != nullptr)
        out.namespace_selector = read_label_selector(fields.mapping("namespaceSelector"));
    if (fields.get("ipBlock") != nullptr)
        out.ip_block = read_ip_block(fields.mapping("ipBlock"));
    if (out.namespace_selector)
        report_null(fields, "podSelector", "every pod of those namespaces");
    if (out.pod_selector)
        report_null(fields, "namespaceSelector", "pods of the policy's own namespace only");
    const bool selects = out.pod_selector || out.namespace_selector;
    const bool block = fields.get("ipBlock") != nullptr;
    const std::size_t told = fields.diagnostics().list().size();
    fields.finish();
    if (!selects && !block && fields.diagnostics().list().size() > told)
        return; // what is there instead was refused
    if (!selects && !block)
        refuse_value(fields, fields.span(), fields.path(),
                     "must have podSelector, namespaceSelector or ipBlock")
            .with_hint("`- podSelector: {}` means every pod of the policy's namespace");
    else if (selects && block)
        refuse_value(fields, fields.span(), fields.path(), "cannot have ipBlock beside a selector");
    else if (selects || out.ip_block)
        into.push_back(std::move(out));
}

/// Whom to ask for names is often left open on purpose.
void report_null_peers(Fields& fields, std::string_view peers, const policy::KubernetesRule& rule) {
    // `[]` by itself is everything on purpose.
    auto* diagnostic = rule.ports.empty() ? report_null(fields, peers, "every address")
                                          : report_empty_list(fields, peers, "every address");
    const bool only_dns =
        peers == "to" && !rule.ports.empty() &&
        std::all_of(rule.ports.begin(), rule.ports.end(), [](const policy::KubernetesPort& each) {
            const auto* number = each.port ? std::get_if<std::uint16_t>(&*each.port) : nullptr;
            return number != nullptr && *number == 53 && !each.end_port;
        });
    if (diagnostic == nullptr)
        return;
    diagnostic->as_usual(diagnostic->severity == diag::Severity::Note);
    if (only_dns)
        diagnostic->severity = diag::Severity::Note;
}

std::vector<policy::KubernetesRule> read_rules(Fields& spec, std::string_view key,
                                               std::string_view peers) {
    std::vector<policy::KubernetesRule> out;
    std::size_t index = 0;
    const diag::Watch list(spec.diagnostics());
    const auto items = spec.list(key);
    if (const auto where = list.error()) {
        policy::KubernetesRule any;
        any.span = any.unread = where->known() ? *where : spec.key_span(key);
        out.push_back(std::move(any));
    }
    for (const yaml::Node* item : items) {
        Fields fields = item_fields(item, spec, key, index++);
        policy::KubernetesRule rule;
        const diag::Watch watch(spec.diagnostics());
        rule.span = item->span;
        report_null_item(*item, fields, "every address and port");
        report_empty_list(fields, "ports", "every port");
        std::size_t port = 0, peer = 0;
        const auto ports = fields.list("ports");
        for (const yaml::Node* each : ports) {
            Fields port_fields = item_fields(each, fields, "ports", port++);
            report_null_item(*each, port_fields, "every port of TCP");
            read_port(std::move(port_fields), rule.ports);
        }
        report_null_peers(fields, peers, rule);
        const auto ends = fields.list(peers);
        for (const yaml::Node* each : ends)
            read_peer(item_fields(each, fields, peers, peer++), rule.peers);
        fields.finish();
        // A rule that lost a peer or a port would be wider than written.
        if (const auto where = watch.error())
            rule.unread = where->known() ? *where : rule.span;
        out.push_back(std::move(rule));
    }
    return out;
}

/// Whether the directions are said and could be read.
bool read_types(Fields& spec, KubernetesNetworkPolicy& into) {
    const diag::Watch watch(spec.diagnostics());
    const auto types = spec.strings("policyTypes");
    into.types_given = !types.empty();
    if (types.empty()) {
        into.has_ingress_type = true;
        into.has_egress_type = !into.egress.empty();
        return false;
    }
    into.has_ingress_type = into.has_egress_type = false;
    for (const At<std::string>& type : types) {
        bool& flag = type.value == "Egress" ? into.has_egress_type : into.has_ingress_type;
        if (type.value != "Ingress" && type.value != "Egress")
            refuse_word(spec, type, spec.path_of("policyTypes"), {"Ingress", "Egress"});
        else if (flag)
            refuse_value(spec, type.span, spec.path_of("policyTypes"),
                         "has " + type.value + " twice");
        flag = true;
    }
    const auto unused = [&](const char* key, bool active, bool rules) {
        if (!active && rules && !watch.error()) // else it may be meant
            spec.diagnostics()
                .report(diag::Code::RulesWithoutType, spec.key_span(key), {key})
                .about(spec.object());
    };
    unused("ingress", into.has_ingress_type, !into.ingress.empty());
    unused("egress", into.has_egress_type, !into.egress.empty());
    return !watch.error();
}

/// A list of rules without one closes the direction that it is for. Only policyTypes say that it is
/// for egress.
void check_emptied_rules(Fields& spec, const KubernetesNetworkPolicy& policy) {
    if (policy.egress_emptied && !policy.types_given)
        spec.diagnostics()
            .report(diag::Code::EmptyValue, spec.key_span("egress"),
                    {spec.path_of("egress"), "has no rule, and policyTypes is not there",
                     "everything may be sent"})
            .about(spec.object())
            .with_hint("to let nothing out, write `policyTypes: [Ingress, Egress]`");
    report_emptied_rules(spec, policy.has_ingress_type, policy.has_egress_type);
}

} // namespace

bool read_kubernetes_policy_spec(Fields& spec, KubernetesNetworkPolicy& into, diag::Watch& watch) {
    const diag::Watch subject(spec.diagnostics());
    if (spec.get("podSelector") == nullptr)
        spec.diagnostics()
            .report(diag::Code::MissingPodSelector, spec.key_span("podSelector"))
            .about(spec.object())
            .with_hint("write `podSelector: {}` if every pod of the namespace is meant");
    into.pod_selector = read_label_selector(spec.mapping("podSelector"));
    if (subject.error())
        into.pod_selector = {}; // what could not be read narrows nothing
    into.ingress = watch.leaving_out([&] { return read_rules(spec, "ingress", "from"); });
    into.egress = watch.leaving_out([&] { return read_rules(spec, "egress", "to"); });
    into.egress_emptied = spec.has("egress") && into.egress.empty();
    const bool types_known = read_types(spec, into);
    check_emptied_rules(spec, into);
    return types_known;
}

void read_kubernetes_network_policy(ObjectContext& context) {
    Fields root(&context.root, "", object_label(context), context.diagnostics);
    KubernetesNetworkPolicy out;
    diag::Watch watch(context.diagnostics);
    out.meta = read_metadata(root, true, diag::Severity::Error);
    root.ignore({"apiVersion", "kind", "status"});
    Fields spec = root.mapping("spec");
    const bool types_known = read_kubernetes_policy_spec(spec, out, watch);
    spec.finish();
    root.finish();
    forget_rules(out, watch.error(), types_known);
    context.cluster.kubernetes_policies.push_back(std::move(out));
}

} // namespace polecat::frontend
