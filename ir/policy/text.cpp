#include "ir/policy/text.h"

#include <fmt/format.h>

namespace polecat::policy {

namespace {

void add(std::string& out, const std::string& name, const std::string& value) {
    out += " " + name + "=" + value;
}

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    return out + "\"";
}

template <class List, class Text> std::string joined(const List& list, Text text) {
    std::string out;
    for (const auto& item : list)
        out += (out.empty() ? "" : ",") + text(item);
    return "[" + out + "]";
}

std::string text_of(const Port& port) {
    if (const auto* name = std::get_if<std::string>(&port.value))
        return quoted(*name);
    const auto& range = std::get<net::PortRange>(port.value);
    return range.first == range.last ? fmt::format("{}", range.first)
                                     : fmt::format("{}:{}", range.first, range.last);
}

void add_selector(std::string& out, const std::string& name, const Box<SelectorField>& field) {
    if (field)
        add(out, name, quoted(field->parsed.canonical()));
}

void add_entity(std::string& out, const std::string& side, const EntityRule& entity) {
    const auto& [nets, not_nets, selector, not_selector, namespace_selector, accounts, services,
                 ports, not_ports, domains, nodes, span] = entity;
    const auto cidr = [](const At<net::Cidr>& each) { return net::to_string(*each); };
    const auto name = [](const At<std::string>& each) { return quoted(*each); };
    if (!nets.empty())
        add(out, side + ".nets", joined(nets, cidr));
    if (!not_nets.empty())
        add(out, side + ".notNets", joined(not_nets, cidr));
    add_selector(out, side + ".selector", selector);
    add_selector(out, side + ".notSelector", not_selector);
    add_selector(out, side + ".namespaceSelector", namespace_selector);
    if (accounts) {
        add(out, side + ".serviceAccounts.names", joined(accounts->names, name));
        add_selector(out, side + ".serviceAccounts.selector", accounts->selector);
    }
    if (services)
        add(out, side + ".services", quoted(services->space + "/" + services->name));
    if (!ports.empty())
        add(out, side + ".ports", joined(ports, [](const Port& p) { return text_of(p); }));
    if (!not_ports.empty())
        add(out, side + ".notPorts", joined(not_ports, [](const Port& p) { return text_of(p); }));
    if (!domains.empty())
        add(out, side + ".domains", joined(domains, name));
    add_selector(out, side + ".nodes", nodes);
}

std::string text_of(const IcmpMatch& match) {
    std::string out = match.type ? fmt::format("{}", *match.type) : "any";
    return match.code ? out + fmt::format("/{}", *match.code) : out;
}

} // namespace

std::string to_text(const Rule& rule) {
    const auto& [action, ip_version, protocol, not_protocol, icmp, not_icmp, source, destination,
                 http, name, index, span, action_span, unread, any_action] = rule;
    std::string out(to_string(action));
    if (ip_version)
        add(out, "ipVersion", fmt::format("{}", **ip_version));
    if (protocol)
        add(out, "protocol", net::to_string_protocol(**protocol));
    if (not_protocol)
        add(out, "notProtocol", net::to_string_protocol(**not_protocol));
    if (icmp)
        add(out, "icmp", text_of(*icmp));
    if (not_icmp)
        add(out, "notICMP", text_of(*not_icmp));
    add_entity(out, "source", source);
    add_entity(out, "destination", destination);
    if (http) {
        add(out, "http.methods", joined(http->methods, quoted));
        add(out, "http.paths", joined(http->paths, [](const HttpPath& path) {
                return (path.kind == HttpPath::Kind::Exact ? "exact:" : "prefix:") +
                       quoted(path.text);
            }));
    }
    return out;
}

std::string to_text(const Policy& policy) {
    std::string out =
        fmt::format("policy {} {}", to_string(policy.kind), quoted(full_name(policy.meta)));
    add(out, "tier", quoted(*policy.tier));
    if (policy.order)
        add(out, "order", fmt::format("{}", **policy.order));
    add_selector(out, "selector", policy.selector);
    add_selector(out, "namespaceSelector", policy.namespace_selector);
    add_selector(out, "serviceAccountSelector", policy.service_account_selector);
    add(out, "types",
        policy.ingress_type ? (policy.egress_type ? "[Ingress,Egress]" : "[Ingress]")
                            : (policy.egress_type ? "[Egress]" : "[]"));
    for (const auto& [name, flag] :
         {std::pair{"doNotTrack", *policy.do_not_track}, std::pair{"preDNAT", *policy.pre_dnat},
          std::pair{"applyOnForward", *policy.apply_on_forward}})
        if (flag)
            add(out, name, "true");
    if (!policy.staged_action.empty())
        add(out, "stagedAction", policy.staged_action);
    out += "\n";
    for (const Rule& rule : policy.ingress)
        out += "  ingress " + to_text(rule) + "\n";
    for (const Rule& rule : policy.egress)
        out += "  egress " + to_text(rule) + "\n";
    return out;
}

} // namespace polecat::policy
