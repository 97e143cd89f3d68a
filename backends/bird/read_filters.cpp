#include <algorithm>

#include <fmt/format.h>

#include "backends/bird/names.h"
#include "backends/bird/read.h"

namespace polecat::bird {

namespace {

routing::Community community(Cursor& in) {
    routing::Community out;
    in.expect("(");
    do
        out.parts.push_back(in.number32());
    while (in.take(","));
    in.expect(")");
    if (out.parts.size() != 2 && out.parts.size() != 3)
        in.fail("two or three numbers");
    return out;
}

routing::NetMatch net_match(Cursor& in) {
    routing::NetMatch out;
    if (in.take("~"))
        out.op = routing::NetOperator::In;
    else if (in.take("! ~"))
        out.op = routing::NetOperator::NotIn;
    else if (in.take("! ="))
        out.op = routing::NetOperator::NotEqual;
    else if (in.take("="))
        out.op = routing::NetOperator::Equal;
    else
        in.fail("an operator");
    const bool set = in.take("[");
    out.cidr = in.cidr();
    if (set) {
        in.expect("{");
        const auto shortest = static_cast<std::uint8_t>(in.number(128));
        in.expect(",");
        out.lengths = {shortest, static_cast<std::uint8_t>(in.number(128))};
        in.expect("} ]");
    }
    return out;
}

void condition(Cursor& in, routing::FilterMatch& into) {
    if (in.take("same_as")) {
        into.peer_type = routing::PeerType::Internal;
    } else if (in.take("! same_as")) {
        into.peer_type = routing::PeerType::External;
    } else if (in.take("net")) {
        into.net = net_match(in);
    } else if (in.take("source = RTS_BGP")) {
        into.from_bgp = true;
    } else if (in.take("ifname ~")) {
        into.interface = in.text();
    } else if (in.is("(")) {
        into.community = community(in);
        in.expect(into.community->is_large() ? "~ bgp_large_community" : "~ bgp_community");
    } else if (in.take("bgp_path ~ [ =")) {
        while (!in.take("* = ]"))
            into.as_path_prefix.push_back(in.number32());
    } else if (in.take("defined ( bgp_local_pref ) & & bgp_local_pref =")) {
        into.priority = routing::priority_of(in.number32());
    } else {
        in.fail("a condition");
    }
}

/// False: the action comes next.
bool operation(Cursor& in, routing::FilterRule& into) {
    if (in.take("{")) {
        routing::PrependPath path;
        while (in.take("bgp_path.prepend (")) {
            path.numbers.insert(path.numbers.begin(), in.number32());
            in.expect(") ;");
        }
        in.expect("}");
        into.operations.emplace_back(std::move(path));
    } else if (in.is("bgp_community.add") || in.is("bgp_large_community.add")) {
        in.next();
        in.expect("(");
        into.operations.emplace_back(routing::AddCommunity{community(in)});
        in.expect(") ;");
    } else if (in.take("bgp_local_pref =")) {
        into.operations.emplace_back(routing::SetPriority{routing::priority_of(in.number32())});
        in.expect(";");
    } else {
        return false;
    }
    return true;
}

routing::FilterRule rule(Cursor& in) {
    routing::FilterRule out;
    in.expect("if");
    if (!in.take("true"))
        do
            condition(in, out.match);
        while (in.take("& &"));
    in.expect("then {");
    while (operation(in, out)) {
    }
    out.action = in.take("accept ;") ? routing::Verdict::Accept : routing::Verdict::Reject;
    if (out.action == routing::Verdict::Reject)
        in.expect("reject ;");
    in.expect("}");
    return out;
}

} // namespace

std::vector<routing::Community> read_communities(Cursor& in) {
    routing::FilterRule rule;
    while (!in.is("}"))
        if (!operation(in, rule))
            in.fail("a community");
    std::vector<routing::Community> out;
    for (const routing::Operation& each : rule.operations)
        if (const auto* add = std::get_if<routing::AddCommunity>(&each))
            out.push_back(add->community);
        else
            in.fail("communities only");
    return out;
}

void read_filters(Cursor& in, routing::FamilyRouting& into) {
    const std::string ending = fmt::format("_{}", family_suffix(into.family));
    while (in.is("function") && !in.is(fmt::format("function set_priority{}", ending))) {
        in.expect("function");
        const std::string symbol = in.symbol();
        const bool imports = symbol.starts_with(kImport);
        const std::size_t prefix = kImport.size(); // both are of one length
        if ((!imports && !symbol.starts_with(kExport)) || !symbol.ends_with(ending) ||
            symbol.size() < prefix + ending.size())
            in.fail("the function of a BGPFilter");
        const std::string name = symbol.substr(prefix, symbol.size() - prefix - ending.size());
        if (into.filters.empty() || into.filters.back().name != name)
            into.filters.push_back({name, {}, {}, {}});
        auto& rules = imports ? into.filters.back().import_rules : into.filters.back().export_rules;
        in.expect("( bool same_as ) {");
        while (!in.take("}"))
            rules.push_back(rule(in));
    }
}

} // namespace polecat::bird
