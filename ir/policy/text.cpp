#include "ir/policy/text.h"

#include <algorithm>
#include <optional>
#include <vector>

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

namespace {

/// What the texts say, compared in place: true is certain. A class, since its members see each
/// other in any order.
struct Same {
    template <class T> static bool of(const T& a, const T& b) { return a == b; }
    template <class T> static bool of(const At<T>& a, const At<T>& b) { return of(*a, *b); }
    template <class T> static bool of(const Box<T>& a, const Box<T>& b) {
        return a.has_value() == b.has_value() && (!a || of(*a, *b));
    }
    template <class T> static bool of(const std::optional<T>& a, const std::optional<T>& b) {
        return a.has_value() == b.has_value() && (!a || of(*a, *b));
    }
    template <class T> static bool of(const std::vector<T>& a, const std::vector<T>& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                          [](const T& mine, const T& theirs) { return of(mine, theirs); });
    }
    static bool of(const SelectorField& a, const SelectorField& b) { return a.parsed == b.parsed; }
    static bool of(const Port& a, const Port& b) { return a.value == b.value; }
    static bool of(const ServiceMatch& a, const ServiceMatch& b) {
        return a.name == b.name && a.space == b.space;
    }
    static bool of(const ServiceAccountMatch& a, const ServiceAccountMatch& b) {
        return of(a.names, b.names) && of(a.selector, b.selector);
    }
    static bool of(const IcmpMatch& a, const IcmpMatch& b) {
        return a.type == b.type && a.code == b.code;
    }
    static bool of(const HttpPath& a, const HttpPath& b) {
        return a.kind == b.kind && a.text == b.text;
    }
    static bool of(const HttpMatch& a, const HttpMatch& b) {
        return a.methods == b.methods && of(a.paths, b.paths);
    }
    static bool of(const EntityRule& a, const EntityRule& b) {
        const auto& [nets, not_nets, selector, not_selector, namespace_selector, accounts, services,
                     ports, not_ports, domains, nodes, span] = a;
        return of(nets, b.nets) && of(not_nets, b.not_nets) && of(selector, b.selector) &&
               of(not_selector, b.not_selector) && of(namespace_selector, b.namespace_selector) &&
               of(accounts, b.service_accounts) && of(services, b.services) && of(ports, b.ports) &&
               of(not_ports, b.not_ports) && of(domains, b.domains) && of(nodes, b.nodes);
    }
    static bool of(const Rule& a, const Rule& b) {
        const auto& [action, ip_version, protocol, not_protocol, icmp, not_icmp, source,
                     destination, http, name, index, span, action_span, unread, any_action] = a;
        return action == b.action && of(ip_version, b.ip_version) && of(protocol, b.protocol) &&
               of(not_protocol, b.not_protocol) && of(icmp, b.icmp) && of(not_icmp, b.not_icmp) &&
               of(source, b.source) && of(destination, b.destination) && of(http, b.http);
    }
    static bool of(const Policy& a, const Policy& b) {
        return a.kind == b.kind && a.meta.space == b.meta.space && a.meta.name == b.meta.name &&
               of(a.tier, b.tier) && of(a.order, b.order) && of(a.selector, b.selector) &&
               of(a.namespace_selector, b.namespace_selector) &&
               of(a.service_account_selector, b.service_account_selector) &&
               a.ingress_type == b.ingress_type && a.egress_type == b.egress_type &&
               of(a.do_not_track, b.do_not_track) && of(a.pre_dnat, b.pre_dnat) &&
               of(a.apply_on_forward, b.apply_on_forward) && a.staged_action == b.staged_action &&
               of(a.ingress, b.ingress) && of(a.egress, b.egress);
    }
};

} // namespace

bool same_text(const Policy& a, const Policy& b) {
    return Same::of(a, b) || to_text(a) == to_text(b);
}

} // namespace polecat::policy
