#include "frontend/kinds/calico_rule.h"

#include <algorithm>
#include <set>

#include "frontend/kinds/empty_value.h"
#include "frontend/kinds/label_selector.h"
#include "frontend/kinds/names.h"
#include "support/diag/fix.h"
#include "support/letters.h"

namespace polecat::frontend {

namespace {

using policy::Action;
using policy::EntityRule;
using policy::Rule;

constexpr std::size_t kMaxRules = 1024, kMaxNets = 256, kMaxPorts = 50, kMaxHttp = 20,
                      kMaxName = 253;

void check_size(Fields& fields, std::string_view key, std::size_t size, std::size_t limit) {
    if (size > limit)
        refuse_value(fields, fields.key_span(key), fields.path_of(key),
                     "has more than " + std::to_string(limit) + " items");
}

// --- one end -------------------------------------------------------------------------------------

std::vector<policy::Port> read_ports(Fields& fields, std::string_view key) {
    std::vector<policy::Port> out;
    const auto items = fields.list(key);
    check_size(fields, key, items.size(), kMaxPorts);
    std::size_t index = 0;
    for (const yaml::Node* item : items)
        if (auto port = read_calico_port(
                *item, fields.path_of(key) + "[" + std::to_string(index++) + "]", fields))
            out.push_back(std::move(*port));
    return out;
}

void read_service_accounts(Fields fields, EntityRule& into) {
    if (!fields.present())
        return;
    policy::ServiceAccountMatch out;
    out.span = fields.span();
    for (const char* key : {"names", "selector"})
        report_null(fields, key, "whatever the account is");
    out.names = fields.strings("names");
    out.selector = read_selector(fields, "selector", GlobalTerm::Everything);
    fields.finish();
    // Calico puts the names into a selector's text. Where that does not parse it asks for no
    // account.
    for (const At<std::string>& name : out.names)
        if (name.value.find('\'') != std::string::npos)
            refuse_value(fields, name.span, fields.path_of("names"), "cannot hold `'`");
    into.service_accounts = std::move(out);
}

void read_services(Fields fields, EntityRule& into, Checks checks) {
    if (!fields.present())
        return;
    policy::ServiceMatch out;
    out.span = fields.span();
    const auto name = fields.string("name"), space = fields.string("namespace");
    fields.finish();
    if (!name || name->value.empty())
        refuse_value(fields, fields.span(), fields.path_of("name"), "must name the service");
    const auto check = [&](const std::optional<At<std::string>>& text, const char* key) {
        if (text && text->value.size() > kMaxName)
            refuse_value(fields, text->span, fields.path_of(key), "has more than 253 characters");
        else if (text && !text->value.empty() && !is_dns_subdomain(text->value))
            refuse_in_api(fields, checks, text->span, fields.path_of(key),
                          "is `" + text->value +
                              "`: names have lower-case letters, digits, `-` and `.`");
    };
    check(name, "name");
    check(space, "namespace");
    out.name = name ? name->value : "";
    out.space = space ? space->value : "";
    into.services = std::move(out);
}

void check_catch_all(Fields& fields, const EntityRule& entity, Checks checks) {
    for (const At<net::Cidr>& each : entity.not_nets)
        if (each.value.prefix == 0)
            refuse_in_api(fields, checks, each.span, fields.path_of("notNets"),
                          "cannot hold " + to_string(each.value) + ", the rule could never match");
}

void check_service_alone(Fields& fields, const EntityRule& entity) {
    if (!entity.services)
        return;
    if (entity.namespace_selector || entity.service_accounts || entity.selector ||
        entity.not_selector || !entity.nets.empty() || !entity.not_nets.empty())
        refuse_value(fields, entity.services->span, fields.path_of("services"),
                     "cannot stand beside selectors, service accounts or nets");
}

EntityRule read_entity(Fields fields, const RuleContext& context) {
    EntityRule out;
    report_emptied_end(fields);
    out.span = fields.span();
    out.nets = read_nets(fields, "nets", context.checks);
    out.not_nets = read_nets(fields, "notNets", context.checks);
    // The schema refuses global() in selector, the API what is more than that in namespaceSelector.
    out.selector = read_selector(fields, "selector",
                                 context.profile ? GlobalTerm::Everything : GlobalTerm::Refused);
    out.not_selector = read_selector(fields, "notSelector", GlobalTerm::Everything);
    out.namespace_selector =
        read_selector(fields, "namespaceSelector",
                      context.checks == Checks::Api ? GlobalTerm::Alone : GlobalTerm::Anywhere);
    read_service_accounts(fields.mapping("serviceAccounts"), out);
    read_services(fields.mapping("services"), out, context.checks);
    out.ports = read_ports(fields, "ports");
    out.not_ports = read_ports(fields, "notPorts");
    out.domains = fields.strings("domains");
    check_domains(fields, out.domains, "domains");
    check_size(fields, "nets", out.nets.size(), kMaxNets);
    check_size(fields, "notNets", out.not_nets.size(), kMaxNets);
    check_catch_all(fields, out, context.checks);
    if (!context.profile)
        check_service_alone(fields, out);
    fields.finish();
    return out;
}

// --- icmp and http -------------------------------------------------------------------------------

std::optional<policy::IcmpMatch> read_icmp(Fields fields) {
    if (!fields.present())
        return std::nullopt;
    policy::IcmpMatch out;
    out.span = fields.span();
    const auto type = fields.integer("type"), code = fields.integer("code");
    fields.finish();
    if (type && (type->value < 0 || type->value > 254))
        refuse_value(fields, type->span, fields.path_of("type"), "must be between 0 and 254");
    else if (type)
        out.type = static_cast<std::uint8_t>(type->value);
    if (code && (code->value < 0 || code->value > 255))
        refuse_value(fields, code->span, fields.path_of("code"), "must be between 0 and 255");
    else if (code)
        out.code = static_cast<std::uint8_t>(code->value);
    if (code && !type)
        refuse_value(fields, code->span, fields.path_of("code"), "needs a type");
    return out;
}

void read_path(Fields fields, policy::HttpMatch& into) {
    const auto exact = fields.string("exact"), prefix = fields.string("prefix");
    fields.finish();
    if (exact.has_value() == prefix.has_value()) {
        refuse_value(fields, fields.span(), fields.path(),
                     "must have exactly one of exact and prefix");
        return;
    }
    const At<std::string>& text = exact ? *exact : *prefix;
    if (text.value.empty() || text.value[0] != '/' ||
        text.value.find_first_of("? #") != std::string::npos || text.value.size() > 1024)
        refuse_value(fields, text.span, fields.path(),
                     "must start with `/`, without `?`, `#` and blanks, at most 1024 characters");
    into.paths.push_back(
        {exact ? policy::HttpPath::Kind::Exact : policy::HttpPath::Kind::Prefix, text.value});
}

std::optional<policy::HttpMatch> read_http(Fields fields, Checks checks) {
    if (!fields.present())
        return std::nullopt;
    policy::HttpMatch out;
    out.span = fields.span();
    const auto methods = fields.strings("methods");
    std::set<std::string> seen;
    for (const At<std::string>& method : methods) {
        if (!seen.insert(method.value).second)
            refuse_in_api(fields, checks, method.span, fields.path_of("methods"),
                          "has " + method.value + " twice");
        out.methods.push_back(method.value);
    }
    const auto paths = fields.list("paths");
    std::size_t index = 0;
    for (const yaml::Node* item : paths)
        read_path(Fields(item, fields.path_of("paths") + "[" + std::to_string(index++) + "]",
                         fields.object(), fields.diagnostics()),
                  out);
    check_size(fields, "methods", methods.size(), kMaxHttp);
    check_size(fields, "paths", paths.size(), kMaxHttp);
    fields.finish();
    return out;
}

// --- rules between fields ------------------------------------------------------------------------

bool numeric(const policy::Port& port) {
    return std::holds_alternative<net::PortRange>(port.value);
}

void check_ports(Fields& fields, const Rule& rule) {
    struct List {
        const char* name;
        const std::vector<policy::Port>& ports;
    };
    const List lists[] = {{"source.ports", rule.source.ports},
                          {"source.notPorts", rule.source.not_ports},
                          {"destination.ports", rule.destination.ports},
                          {"destination.notPorts", rule.destination.not_ports}};
    for (const List& list : lists) {
        if (list.ports.empty())
            continue;
        const Span where = list.ports.front().span;
        const bool needs = std::any_of(list.ports.begin(), list.ports.end(), numeric);
        if (!rule.protocol && needs && !fields.has("protocol"))
            fields.diagnostics()
                .report(diag::Code::PortsWithoutProtocol, where, {fields.path_of(list.name)})
                .about(fields.object())
                .with_note("Calico refuses the policy, and a refused policy protects nothing")
                .with_hint("add `protocol: TCP` (or UDP, SCTP) to the rule");
        else if (rule.protocol && !net::has_ports(rule.protocol->value))
            refuse_value(fields, where, fields.path_of(list.name),
                         "needs protocol TCP, UDP or SCTP");
    }
}

void check_families(Fields& fields, const Rule& rule, Checks checks) {
    const At<net::Cidr>* first = nullptr;
    for (const auto* list : {&rule.source.nets, &rule.source.not_nets, &rule.destination.nets,
                             &rule.destination.not_nets})
        for (const At<net::Cidr>& each : *list) {
            const int version = each.value.family() == net::Family::V4 ? 4 : 6;
            if (rule.ip_version && rule.ip_version->value != version)
                refuse_in_api(fields, checks, each.span, "net " + to_string(each.value),
                              "is not of ipVersion " + std::to_string(rule.ip_version->value));
            if (first != nullptr && first->value.family() != each.value.family())
                refuse_in_api(fields, checks, each.span, "net " + to_string(each.value),
                              "is of another family than a net before it in this rule");
            if (first == nullptr)
                first = &each;
        }
}

/// Which ICMP, where the rule says so.
std::optional<diag::Fix> name_icmp(const Fields& fields, const Rule& rule) {
    if (!rule.ip_version || rule.protocol)
        return std::nullopt;
    diag::Fix fix = diag::add_to_mapping(
        fields.span(), "", rule.ip_version->value == 4 ? "{protocol: ICMP}" : "{protocol: ICMPv6}",
        "name the protocol of that IP version");
    fix.addition->after = "ipVersion";
    return fix;
}

/// A protocol as the schema compares it: by its name or its number, and text "1" is neither.
bool is_written(Fields& fields, std::string_view key, std::string_view name, net::Protocol number) {
    const yaml::Node* node = fields.get(key);
    if (node == nullptr)
        return false;
    const auto written = yaml::as_integer(*node);
    return written ? *written == number : node->is_scalar() && node->text == name;
}

void check_icmp(Fields& fields, const Rule& rule) {
    if (rule.icmp && !is_written(fields, "protocol", "ICMP", net::kIcmp) &&
        !is_written(fields, "protocol", "ICMPv6", net::kIcmpV6))
        refuse_value(fields, rule.icmp->span, fields.path_of("icmp"),
                     "needs protocol ICMP or ICMPv6")
            .with_fix(name_icmp(fields, rule));
    if (!rule.ip_version)
        return;
    for (const char* key : {"protocol", "notProtocol"}) {
        const Span where = fields.key_span(key);
        if (is_written(fields, key, "ICMP", net::kIcmp) && rule.ip_version->value != 4)
            refuse_value(fields, where, fields.path_of(key), "ICMP needs ipVersion 4");
        if (is_written(fields, key, "ICMPv6", net::kIcmpV6) && rule.ip_version->value != 6)
            refuse_value(fields, where, fields.path_of(key), "ICMPv6 needs ipVersion 6");
    }
}

void check_http(Fields& fields, Rule& rule, const RuleContext& context) {
    if (!rule.http)
        return;
    const std::string path = fields.path_of("http");
    if (rule.action != Action::Allow)
        refuse_value(fields, rule.http->span, path, "needs action Allow");
    if (rule.protocol && !is_written(fields, "protocol", "TCP", net::kTcp))
        refuse_value(fields, rule.http->span, path, "needs protocol TCP");
    if (!context.egress)
        return;
    refuse_in_api(fields, context.checks, rule.http->span, path, "cannot stand in an egress rule");
    if (context.checks == Checks::Storage) // nothing looks at requests that a pod sends
        rule.http = {};
}

/// Of profiles neither the API nor a schema checks where services stand.
void check_services(Fields& fields, const Rule& rule, const RuleContext& context) {
    if (context.profile)
        return;
    const auto& wrong = context.egress ? rule.source.services : rule.destination.services;
    const auto& right = context.egress ? rule.destination.services : rule.source.services;
    if (wrong)
        refuse_in_api(fields, context.checks, wrong->span, fields.path(),
                      context.egress
                          ? "cannot have services at the source of an egress rule"
                          : "cannot have services at the destination of an ingress rule");
    if (right && context.global_policy && right->space.empty())
        refuse_in_api(fields, context.checks, right->span, fields.path(),
                      "needs the namespace of the service");
    if (rule.destination.services &&
        (!rule.destination.ports.empty() || !rule.destination.not_ports.empty()))
        refuse_value(fields, rule.destination.services->span,
                     fields.path_of("destination.services"),
                     "cannot stand beside ports: the service says them");
}

void check_domain_place(Fields& fields, const Rule& rule, const RuleContext& context) {
    for (const At<std::string>& each : rule.source.domains)
        refuse_value(fields, each.span, fields.path_of("source.domains"),
                     "is known at a destination only");
    if (!rule.destination.domains.empty() && (!context.egress || rule.action != Action::Allow))
        refuse_value(fields, rule.destination.domains.front().span,
                     fields.path_of("destination.domains"),
                     "needs an egress rule with action Allow");
}

std::optional<Action> read_action(Fields& fields, Rule& into) {
    const auto action = fields.string("action");
    if (!action) {
        refuse_value(fields, fields.span(), fields.path_of("action"), "is missing");
        return std::nullopt;
    }
    into.action_span = action->span;
    const std::pair<const char*, Action> names[] = {{"Allow", Action::Allow},
                                                    {"Deny", Action::Deny},
                                                    {"Pass", Action::Pass},
                                                    {"Log", Action::Log}};
    for (const auto& [name, value] : names)
        if (action->value == name)
            return value;
    auto& diagnostic = refuse_value(fields, action->span, fields.path_of("action"),
                                    "must be Allow, Deny, Log or Pass");
    for (const auto& [name, value] : names)
        if (equal_ignoring_case(name, action->value))
            diagnostic.with_hint(std::string("write `") + name + "`")
                .with_fix(diag::replace_text(action->span, action->value, name,
                                             std::string("write `") + name + "`"));
    return std::nullopt;
}

void read_rule_metadata(Fields fields, Checks checks) {
    for (const auto& [key, value] : fields.string_map("annotations"))
        if (const auto problem = check_label_key(key.value))
            refuse_in_api(fields, checks, key.span, fields.path_of("annotations") + "." + key.value,
                          *problem);
    fields.finish();
}

Rule read_rule(Fields fields, const RuleContext& context, std::size_t index) {
    Rule out;
    out.manifest_index = static_cast<std::uint32_t>(index);
    const diag::Watch watch(fields.diagnostics());
    out.span = fields.span();
    report_emptied_rule(fields);
    const auto action = read_action(fields, out);
    out.any_action = !action;
    out.action = action.value_or(Action::Pass);
    if (const auto version = fields.integer("ipVersion")) {
        if (version->value != 4 && version->value != 6)
            refuse_value(fields, version->span, fields.path_of("ipVersion"), "must be 4 or 6");
        else
            out.ip_version = At<int>{static_cast<int>(version->value), version->span};
    }
    out.protocol = read_calico_protocol(fields, "protocol", context.checks);
    out.not_protocol = read_calico_protocol(fields, "notProtocol", context.checks);
    out.icmp = read_icmp(fields.mapping("icmp"));
    out.not_icmp = read_icmp(fields.mapping("notICMP"));
    out.source = read_entity(fields.mapping("source"), context);
    out.destination = read_entity(fields.mapping("destination"), context);
    out.http = read_http(fields.mapping("http"), context.checks);
    read_rule_metadata(fields.mapping("metadata"), context.checks);
    fields.finish();
    check_ports(fields, out);
    check_families(fields, out, context.checks);
    check_icmp(fields, out);
    check_http(fields, out, context);
    check_services(fields, out, context);
    check_domain_place(fields, out, context);
    if (const auto where = watch.error())
        out.unread = where->known() ? *where : out.span;
    return out;
}

} // namespace

std::vector<Rule> read_calico_rules(Fields& fields, std::string_view key,
                                    const RuleContext& context) {
    std::vector<Rule> out;
    const diag::Watch watch(fields.diagnostics());
    const auto items = fields.list(key);
    check_size(fields, key, items.size(), kMaxRules);
    if (const auto where = watch.error()) {
        Rule any;
        any.span = any.unread = where->known() ? *where : fields.key_span(key);
        any.any_action = true;
        any.action = Action::Pass;
        out.push_back(std::move(any));
    }
    for (std::size_t i = 0; i < items.size(); ++i)
        out.push_back(
            read_rule(Fields(items[i], fields.path_of(key) + "[" + std::to_string(i) + "]",
                             fields.object(), fields.diagnostics()),
                      context, i));
    return out;
}

} // namespace polecat::frontend
