// Rules that let in everybody, or let out to everywhere.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/rules/rule_parts.h"
#include "analyzer/lint/services/front_ports.h"

namespace polecat::lint {

using decision::Direction;
using policy::Action;
using policy::Rule;

namespace {

std::string packets_of(const Rule& rule) {
    std::string out = rule.protocol ? net::to_string_protocol(**rule.protocol) : "any protocol";
    const auto& ports = rule.destination.ports;
    for (std::size_t i = 0; i < ports.size() && i < 3; ++i)
        out += (i == 0 ? " " : ",") +
               std::visit(
                   [](const auto& value) -> std::string {
                       if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>)
                           return value;
                       else
                           return value.first == value.last
                                      ? std::to_string(value.first)
                                      : fmt::format("{}-{}", value.first, value.last);
                   },
                   ports[i].value);
    return ports.size() > 3 ? out + ",..." : out;
}

/// Ports that nobody means to open to the world: shells, databases, etcd.
bool opens_private_port(const Rule& rule) {
    static constexpr std::uint16_t kPrivate[] = {22,   23,   111,  135,  139,  445,   1433,  1521,
                                                 2049, 2375, 2376, 2379, 2380, 3306,  3389,  5432,
                                                 5900, 6379, 9042, 9200, 9300, 10255, 11211, 27017};
    if (rule.icmp || (rule.protocol && **rule.protocol != net::kTcp))
        return false;
    if (rule.destination.ports.empty())
        return true; // all of them
    const net::PortSet ports = numbers_of(rule.destination.ports);
    return std::any_of(std::begin(kPrivate), std::end(kPrivate),
                       [&](std::uint16_t each) { return ports.contains(each); });
}

/// Every port, or more than the name of its policy says: "allow-apiserver".
bool opens_more_than_meant(const RuleView& view) {
    const auto& ports = view.rule.destination.ports;
    const bool every_port =
        !view.rule.icmp && (!view.rule.protocol || **view.rule.protocol == net::kTcp) &&
        (ports.empty() || (net::PortSet::of(net::PortRange{1, 65535}) - numbers_of(ports)).empty());
    const std::string& name = view.policy.meta.name;
    // Whoever writes 6443 means the API server, whose address is seldom known.
    const net::PortSet own = net::PortSet::of(net::PortRange{6443, 6443}),
                       fronts = net::PortSet::of(net::PortRange{443, 443});
    const bool only_apiserver = !ports.empty() && all_numbers(ports) &&
                                numbers_of(ports).contains(6443) &&
                                (numbers_of(ports) - own - fronts).empty();
    return every_port || (!only_apiserver && (name.find("apiserver") != std::string::npos ||
                                              name.find("api-server") != std::string::npos));
}

/// Told of the whole policy, once.
bool allows_everything_anyway(const RuleView& view) {
    return allows_everything(view.direction == Direction::Ingress ? view.policy.ingress
                                                                  : view.policy.egress);
}

bool lets_in_everybody(Context& context, const RuleView& view) {
    return view.rule.action == Action::Allow && view.direction == Direction::Ingress &&
           is_anybody(view.rule.source) && !names_no_port(context, view) &&
           !allows_everything_anyway(view);
}

bool lets_out_to_everywhere(const RuleView& view) {
    const auto& ports = view.rule.destination.ports;
    // Outside addresses declare no names of ports.
    const bool by_name =
        !ports.empty() && std::none_of(ports.begin(), ports.end(), [](const auto& each) {
            return std::holds_alternative<net::PortRange>(each.value);
        });
    const bool dns = !ports.empty() &&
                     (numbers_of(ports) - net::PortSet::of(net::PortRange{53, 53})).empty() &&
                     all_numbers(ports);
    return view.rule.action == Action::Allow && view.direction == Direction::Egress &&
           is_anybody(view.rule.destination) && !dns && !by_name && !allows_everything_anyway(view);
}

/// A rule of a manifest is one of Calico's for each protocol: told once for all of them.
struct Told {
    const policy::Policy* policy = nullptr;
    Direction direction{};
    std::uint32_t index = 0;
    std::vector<std::string> packets;
    bool usual = true;
    RuleView first;
};

void report(const Told& told, Code code, Diagnostics& out) {
    out.report(code, told.first.rule.span,
               {rule_name(told.first), fmt::format("{}", fmt::join(told.packets, ", "))})
        .about(name_of(told.first.policy))
        .as_usual(told.usual);
}

/// "allow-all", "allow-any-ingress": and not "allow-allowlist".
bool says_so_itself(const std::string& name) {
    for (const char* words : {"allow-all", "allow-any"}) {
        const std::size_t at = name.find(words);
        const std::size_t end = at + std::string_view(words).size();
        if (at != std::string::npos && (end == name.size() || name[end] == '-'))
            return true;
    }
    return false;
}

} // namespace

void check_world_rules(Context& context, Diagnostics& out) {
    std::vector<Told> found;
    each_rule(context, [&](const RuleView& view) {
        if (!lets_in_everybody(context, view) && !lets_out_to_everywhere(view))
            return;
        const bool again = !found.empty() && found.back().policy == &view.policy &&
                           found.back().direction == view.direction &&
                           found.back().index == view.rule.manifest_index;
        if (!again)
            found.push_back(
                {&view.policy, view.direction, view.rule.manifest_index, {}, true, view});
        found.back().packets.push_back(packets_of(view.rule));
        found.back().usual = found.back().usual &&
                             !(view.direction == Direction::Ingress ? opens_private_port(view.rule)
                                                                    : opens_more_than_meant(view));
    });
    for (Told& each : found) {
        each.usual = each.usual || says_so_itself(each.policy->meta.name);
        report(each, each.direction == Direction::Ingress ? Code::WorldIngress : Code::WorldEgress,
               out);
    }
}

} // namespace polecat::lint
