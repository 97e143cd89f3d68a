#include <stdexcept>

#include <fmt/format.h>

#include "artefact/iptables/ruleset.h"

namespace polecat::iptables {

namespace {

const char* const kNumber = "@G@";

std::string not_word(bool negated) {
    return negated ? "! " : "";
}

std::string mark_text(const FlowMark& mark) {
    const std::string number =
        mark.generation ? fmt::format("{:03x}", *mark.generation) : std::string(kNumber);
    return fmt::format("0x{}{}0000/0x5fff0000", mark.denied ? 1 : 0, number);
}

std::string bit_text(FlowBit bit, bool on) {
    const unsigned value = 1U << (bit == FlowBit::Early ? 31 : bit == FlowBit::Leaving ? 30 : 29);
    return fmt::format("0x{:x}/0x{:x}", on ? value : 0, value);
}

std::string port_text(const std::vector<net::PortRange>& ports) {
    std::string out;
    for (const net::PortRange& range : ports) {
        out += out.empty() ? "" : ",";
        out += fmt::format("{}", range.first);
        if (range.last != range.first)
            out += fmt::format(":{}", range.last);
    }
    return out;
}

std::string words(const AddressIs& match) {
    return fmt::format("-{} {}", match.source ? 's' : 'd', net::to_string(match.nets));
}
std::string words(const InterfaceIs& match) {
    return fmt::format("-{} {}", match.incoming ? 'i' : 'o', match.name);
}
std::string words(const ProtocolIs& match) {
    return not_word(match.negated) + "-p " + protocol_word(match.protocol);
}
std::string words(const NotFlowProtocol& match) {
    return fmt::format("-m conntrack ! --ctproto {}", match.protocol);
}
std::string words(const PortIn& match) {
    return fmt::format("-m multiport {}--{}ports {}", not_word(match.negated),
                       match.source ? 's' : 'd', port_text(match.ports));
}
std::string words(const IcmpIs& match) {
    std::string out =
        fmt::format("-m {} {}--{} {}", match.v6 ? "icmp6" : "icmp", not_word(match.negated),
                    match.v6 ? "icmpv6-type" : "icmp-type", match.type);
    return match.code ? out + fmt::format("/{}", *match.code) : out;
}
std::string words(const InSet& match) {
    const std::string end = match.source ? "src" : "dst";
    return fmt::format("-m set {}--match-set {} {}", not_word(match.negated), match.set,
                       match.pair ? end + "," + end : end);
}
std::string words(const FlowState& match) {
    std::string out;
    const auto add = [&](bool wanted, const char* name) {
        if (wanted)
            out += (out.empty() ? "" : ",") + std::string(name);
    };
    add(match.invalid, "INVALID");
    add(match.related, "RELATED");
    add(match.established, "ESTABLISHED");
    add(match.untracked, "UNTRACKED");
    return "-m conntrack --ctstate " + out;
}
std::string words(const IsReply&) {
    return "-m conntrack --ctdir REPLY";
}
std::string words(const FlowMarkIs& match) {
    return "-m connmark --mark " + mark_text(match.mark);
}
std::string words(const FlowBitIs& match) {
    return "-m connmark --mark " + bit_text(match.bit, true);
}
std::string words(const PinnedSays& match) {
    return "-m bpf --object-pinned " + match.program;
}

std::string target_text(const Target& target) {
    switch (target.kind) {
    case Target::Kind::Accept:
        return "-j ACCEPT";
    case Target::Kind::Drop:
        return "-j DROP";
    case Target::Kind::Return:
        return "-j RETURN";
    case Target::Kind::Jump:
        return "-j " + target.name;
    case Target::Kind::Goto:
        return "-g " + target.name;
    case Target::Kind::Log:
        return fmt::format("-j LOG --log-prefix \"{}\"", target.name);
    case Target::Kind::SetFlowMark:
        return "-j CONNMARK --set-xmark " + mark_text(target.mark);
    case Target::Kind::SetFlowBit:
    case Target::Kind::ClearFlowBit:
        return "-j CONNMARK --set-xmark " +
               bit_text(target.bit, target.kind == Target::Kind::SetFlowBit);
    case Target::Kind::NoTrack:
        return "-j CT --notrack";
    }
    return "-j DROP";
}

const char* type_text(Set::Type type) {
    return type == Set::Type::Nets           ? "hash:net"
           : type == Set::Type::AddressPorts ? "hash:ip,port"
                                             : "hash:net,iface";
}

/// The largest number of members is the same always: a set that is there must be of the same form.
std::string form_text(const Set& set) {
    return fmt::format("{} family {} maxelem {}", type_text(set.type),
                       set.family == net::Family::V4 ? "inet" : "inet6", kMostMembers);
}

std::string member_text(const Set& set, const Member& member) {
    std::string out = member.nets.prefix == net::width(set.family)
                          ? net::to_string(member.nets.base)
                          : net::to_string(member.nets);
    if (set.type == Set::Type::AddressPorts)
        out += fmt::format(",{}:{}", protocol_word(member.protocol), member.port);
    else if (set.type == Set::Type::NetInterfaces)
        out += "," + member.interface;
    return out;
}

} // namespace

std::string rule_text(const Rule& rule) {
    std::string out;
    for (const Match& match : rule.matches)
        out += std::visit([](const auto& each) { return words(each); }, match) + " ";
    if (!rule.comment.empty())
        out += fmt::format("-m comment --comment \"{}\" ", rule.comment);
    return out + target_text(rule.target);
}

std::string print(const Table& table, const std::vector<HookRule>& hooks) {
    std::string out;
    for (const In in : {In::Raw, In::Mangle, In::Filter}) {
        std::string declared, rules;
        for (const Chain& chain : table.chains) {
            if (chain.table != in)
                continue;
            declared += fmt::format(":{} - [0:0]\n", chain.name);
            for (const Rule& rule : chain.rules)
                rules += fmt::format("-A {} {}\n", chain.name, rule_text(rule));
        }
        for (const HookRule& hook : hooks)
            if (hook.table == in)
                rules += fmt::format("-I {} -j {}\n", hook.of, hook.chain);
        if (!declared.empty() || !rules.empty())
            out += fmt::format("*{}\n{}{}COMMIT\n", to_string(in), declared, rules);
    }
    return out;
}

std::string create_line(const Set& set) {
    return fmt::format("create {} {}\n", set.name, form_text(set));
}

std::string member_line(std::string_view verb, const Set& set, const Member& member) {
    return fmt::format("{} {} {}\n", verb, set.name, member_text(set, member));
}

std::string print(const std::vector<Set>& sets) {
    std::string out;
    for (const Set& set : sets) {
        const std::string form = form_text(set);
        if (!set.what.empty())
            out += fmt::format("# {}: {}\n", set.name, set.what);
        out += fmt::format("create {0} {1} -exist\ncreate {0}-t {1} -exist\nflush {0}-t\n",
                           set.name, form);
        for (const Member& member : set.members)
            out += fmt::format("add {}-t {}\n", set.name, member_text(set, member));
        out += fmt::format("swap {0}-t {0}\ndestroy {0}-t\n", set.name);
    }
    return out;
}

std::string with_generation(std::string text, std::uint16_t generation) {
    if (generation == 0 || generation > 0xfff) // unjudged flows have 0
        throw std::invalid_argument("generations are 1 to 4095");
    const std::string wanted = kNumber, number = fmt::format("{:03x}", generation);
    for (std::size_t at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at))
        text.replace(at, wanted.size(), number);
    return text;
}

} // namespace polecat::iptables
