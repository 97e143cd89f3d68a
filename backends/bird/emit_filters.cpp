// BGPFilters as functions: 'import_NAME_v4'(bool same_as). A rule that matches accepts or rejects,
// which ends the session's filter.
#include <fmt/format.h>

#include "backends/bird/lines.h"
#include "backends/bird/names.h"

namespace polecat::bird {

namespace {

using routing::FilterMatch;

std::string net_text(const routing::NetMatch& net) {
    static const char* const kOperators[] = {"~", "!~", "=", "!="};
    std::string set = net::to_string(net.cidr);
    if (net.lengths)
        set = fmt::format("[ {}{{{},{}}} ]", set, net.lengths->shortest, net.lengths->longest);
    return fmt::format("net {} {}", kOperators[static_cast<int>(net.op)], set);
}

std::string_view community_attribute(const routing::Community& community) {
    return community.is_large() ? "bgp_large_community" : "bgp_community";
}

std::string tuple(const routing::Community& community) {
    return fmt::format("({})", fmt::join(community.parts, ", "));
}

std::string conditions(const FilterMatch& match) {
    std::vector<std::string> out;
    if (match.peer_type)
        out.emplace_back(*match.peer_type == routing::PeerType::Internal ? "same_as" : "!same_as");
    if (match.net)
        out.push_back(net_text(*match.net));
    if (match.from_bgp)
        out.emplace_back("source = RTS_BGP");
    if (match.interface)
        out.push_back(fmt::format("ifname ~ \"{}\"", *match.interface));
    if (match.community)
        out.push_back(
            fmt::format("{} ~ {}", tuple(*match.community), community_attribute(*match.community)));
    if (!match.as_path_prefix.empty())
        out.push_back(fmt::format("bgp_path ~ [= {} * =]", fmt::join(match.as_path_prefix, " ")));
    if (match.priority)
        out.push_back(fmt::format("defined(bgp_local_pref) && bgp_local_pref = {}",
                                  routing::local_preference_of(*match.priority)));
    return out.empty() ? "true" : fmt::format("{}", fmt::join(out, " && "));
}

std::string operation(const routing::Operation& operation) {
    if (const auto* add = std::get_if<routing::AddCommunity>(&operation))
        return fmt::format("{}.add({}); ", community_attribute(add->community),
                           tuple(add->community));
    if (const auto* priority = std::get_if<routing::SetPriority>(&operation))
        return fmt::format("bgp_local_pref = {}; ",
                           routing::local_preference_of(priority->priority));
    const auto& numbers = std::get<routing::PrependPath>(operation).numbers;
    std::string out; // each goes in front, so the last is the first
    for (auto each = numbers.rbegin(); each != numbers.rend(); ++each)
        out += fmt::format("bgp_path.prepend({}); ", *each);
    // Runs of prepending are told apart by braces.
    return "{ " + out + "} ";
}

void emit_rules_of(std::string_view direction, const routing::Filter& filter,
                   const std::vector<routing::FilterRule>& rules, std::string_view family,
                   Lines& out) {
    if (rules.empty())
        return;
    out.add(fmt::format("function '{}{}_{}'(bool same_as) {{", direction, filter_name(filter.name),
                        family),
            filter.origin);
    for (const routing::FilterRule& rule : rules) {
        std::string body;
        for (const routing::Operation& each : rule.operations)
            body += operation(each);
        body += rule.action == routing::Verdict::Accept ? "accept;" : "reject;";
        out.add(fmt::format("  if {} then {{ {} }}", conditions(rule.match), body), rule.origin);
    }
    out.add("}");
}

} // namespace

void emit_filters(const routing::FamilyRouting& family, Lines& out) {
    const auto suffix = family_suffix(family.family);
    for (const routing::Filter& filter : family.filters) {
        emit_rules_of(kImport, filter, filter.import_rules, suffix, out);
        emit_rules_of(kExport, filter, filter.export_rules, suffix, out);
    }
}

} // namespace polecat::bird
