#include "driver/verify/chain_program.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "driver/verify/proved_rules.h"

namespace polecat::driver {

using Kind = iptables::Target::Kind;
using Unsaid = ProvedRules::Unsaid;

namespace {

bool is_in(const std::vector<net::PortRange>& ranges, std::uint16_t port) {
    return std::any_of(ranges.begin(), ranges.end(), [&](const net::PortRange& each) {
        return each.first <= port && port <= each.last;
    });
}

/// Whether the flow's packet, or the one that answers it, matches.
class MatchingFlow {
  public:
    MatchingFlow(const ChainProgram& program, const decision::Flow& flow)
        : program_(program), flow_(flow) {}

    bool operator()(const iptables::ProtocolIs& match) const {
        return (flow_.protocol == match.protocol) != match.negated;
    }
    bool operator()(const iptables::NotFlowProtocol& match) const {
        return flow_.protocol != match.protocol;
    }
    bool operator()(const iptables::PortIn& match) const {
        return net::has_ports(flow_.protocol) &&
               is_in(match.ports, port(match.source)) != match.negated;
    }
    bool operator()(const iptables::IcmpIs& match) const {
        const net::Protocol icmp = match.v6 ? net::kIcmpV6 : net::kIcmp;
        const bool fits =
            is_any_type(match) || (flow_.icmp_type == icmp_type_of_flow(program_, match.type) &&
                                   (!match.code || flow_.icmp_code == match.code));
        return flow_.protocol == icmp && fits != match.negated;
    }
    bool operator()(const iptables::InSet& match) const {
        const iptables::Set& set = set_asked(program_, match);
        const bool source = of_source(program_, match.source);
        const net::Address& address = *(source ? flow_.source : flow_.destination).address;
        const bool found =
            std::any_of(set.members.begin(), set.members.end(), [&](const auto& each) {
                return each.nets.contains(address) &&
                       (!match.pair ||
                        (net::has_ports(flow_.protocol) && each.protocol == flow_.protocol &&
                         each.port == port(match.source)));
            });
        return found != match.negated;
    }
    template <class Other> bool operator()(const Other&) const {
        throw Unsaid{"a rule asks what rules of a program do not"};
    }

  private:
    std::uint16_t port(bool packet_source) const {
        return (of_source(program_, packet_source) ? flow_.source_port : flow_.destination_port)
            .value_or(0);
    }

    const ChainProgram& program_;
    const decision::Flow& flow_;
};

void name_rule(const iptables::Rule& rule, Decided& out) {
    const std::string& text = rule.comment;
    const std::size_t colon = text.find(": ");
    std::uint32_t slot = 0;
    if (!text.starts_with("slot ") || colon == std::string::npos ||
        std::from_chars(text.data() + 5, text.data() + colon, slot).ptr != text.data() + colon) {
        out.by = "`" + iptables::rule_text(rule) + "`";
        return;
    }
    out.slot = slot;
    out.by = text.substr(colon + 2);
}

void add_chains(const ChainProgram& program, const std::string& chain, std::set<std::string>& under,
                std::vector<std::string>& out) {
    if (under.contains(chain))
        throw Unsaid{"chains lead in a circle through " + chain};
    if (std::find(out.begin(), out.end(), chain) != out.end())
        return;
    under.insert(chain);
    for (const iptables::Rule& rule : rules_of_chain(program, chain))
        if (end_of_rule(program, rule) == ChainEnd::Elsewhere)
            add_chains(program, rule.target.name, under, out);
    under.erase(chain);
    out.push_back(chain);
}

} // namespace

const std::vector<iptables::Rule>& rules_of_chain(const ChainProgram& program,
                                                  std::string_view chain) {
    const iptables::Chain* found = program.rules->table(program.family).find(chain, program.table);
    if (found == nullptr)
        throw Unsaid{fmt::format("there is no chain {}", chain)};
    return found->rules;
}

ChainEnd end_of_rule(const ChainProgram& program, const iptables::Rule& rule) {
    switch (rule.target.kind) {
    case Kind::Log:
        return ChainEnd::GoesOn;
    case Kind::Return:
        return ChainEnd::Returns;
    case Kind::Goto:
        return rule.target.name == "polecat-deny" ? ChainEnd::Denied
               : !program.allows.empty() && rule.target.name == program.allows
                   ? ChainEnd::Allowed
                   : ChainEnd::Elsewhere;
    case Kind::Accept:
    case Kind::Drop:
    case Kind::Jump:
    case Kind::SetFlowMark:
    case Kind::SetFlowBit:
    case Kind::ClearFlowBit:
    case Kind::NoTrack:
        break;
    }
    throw Unsaid{"no rule of a program is `" + iptables::rule_text(rule) + "`"};
}

std::vector<std::string> chains_of(const ChainProgram& program) {
    std::vector<std::string> out;
    std::set<std::string> under;
    add_chains(program, program.chain, under, out);
    std::reverse(out.begin(), out.end());
    return out;
}

std::set<std::string> sets_asked(const ChainProgram& program, bool source) {
    std::set<std::string> out;
    for (const std::string& chain : chains_of(program))
        for (const iptables::Rule& rule : rules_of_chain(program, chain))
            for (const iptables::Match& match : rule.matches)
                if (const auto* in = std::get_if<iptables::InSet>(&match);
                    in != nullptr && of_source(program, in->source) == source)
                    out.insert(set_asked(program, *in).name);
    return out;
}

const iptables::Set& set_asked(const ChainProgram& program, const iptables::InSet& match) {
    const iptables::Set* found = program.rules->find_set(match.set);
    const auto wanted = match.pair ? iptables::Set::Type::AddressPorts : iptables::Set::Type::Nets;
    if (found == nullptr || found->family != program.family || found->type != wanted)
        throw Unsaid{"there is no set " + match.set + " of the kind that a rule asks"};
    return *found;
}

/// As conntrack has it: of what opens a flow, and what answers.
std::uint8_t icmp_type_of_flow(const ChainProgram& program, std::uint8_t type) {
    if (!program.reply)
        return type;
    constexpr std::uint8_t kV4[][2] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}},
                           kV6[][2] = {{128, 129}, {139, 140}};
    const auto other = [&](const auto& pairs) {
        for (const auto& [opens, answers] : pairs)
            if (type == opens || type == answers)
                return type == opens ? answers : opens;
        return type;
    };
    return program.family == net::Family::V4 ? other(kV4) : other(kV6);
}

Decided decided_by_chains(const ChainProgram& program, const decision::Flow& flow) {
    using backends::Outcome;
    Decided out;
    out.program = program.chain;
    const Outcome returns = program.allows.empty() ? Outcome::Allow : Outcome::NoMatch;
    const MatchingFlow matches(program, flow);
    std::string chain = program.chain;
    chains_of(program); // no circle
    for (std::size_t at = 0; at < rules_of_chain(program, chain).size(); ++at) {
        const iptables::Rule& rule = rules_of_chain(program, chain)[at];
        if (!std::all_of(rule.matches.begin(), rule.matches.end(),
                         [&](const iptables::Match& each) { return std::visit(matches, each); }))
            continue;
        const ChainEnd end = end_of_rule(program, rule);
        out.logs += end == ChainEnd::GoesOn ? 1 : 0;
        if (end == ChainEnd::Elsewhere) {
            chain = rule.target.name;
            at = static_cast<std::size_t>(-1); // from its first rule on
            continue;
        }
        if (end == ChainEnd::GoesOn)
            continue;
        name_rule(rule, out);
        out.outcome = end == ChainEnd::Denied    ? Outcome::Deny
                      : end == ChainEnd::Allowed ? Outcome::Allow
                                                 : returns;
        return out;
    }
    out.outcome = returns;
    out.by = "the end of chain " + chain;
    return out;
}

} // namespace polecat::driver
