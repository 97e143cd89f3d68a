#include "artefact/nft/ruleset.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

namespace polecat::nft {

namespace {

std::string_view type_name(KeyType type) {
    switch (type) {
    case KeyType::Word:
        return "classid";
    case KeyType::Ipv4:
        return "ipv4_addr";
    case KeyType::Ipv6:
        return "ipv6_addr";
    case KeyType::Protocol:
        return "inet_proto";
    case KeyType::Port:
        return "inet_service";
    case KeyType::Interface:
        return "ifname";
    case KeyType::InterfaceIpv4:
        return "ifname . ipv4_addr";
    case KeyType::InterfaceIpv6:
        return "ifname . ipv6_addr";
    }
    return "";
}

std::string mark(std::uint32_t value) {
    return fmt::format("0x{:08x}", value);
}

/// As nft(8) writes a packet's priority.
std::string word(std::uint32_t value) {
    if (value == 0)
        return "none";
    return value == ~0u ? "root" : fmt::format("{:x}:{:x}", value >> 16, value & 0xffff);
}

/// Of the conntrack mark.
std::string flow_bits(std::uint32_t bits, bool generation) {
    if (!generation)
        return mark(bits);
    return bits == 0 ? "$generation" : fmt::format("$generation | {}", mark(bits));
}

std::string addresses(const Key& key) {
    return key.first == key.last ? net::to_string(key.first)
                                 : net::to_string(key.first) + "-" + net::to_string(key.last);
}

std::string key_text(KeyType type, const Key& key) {
    switch (type) {
    case KeyType::Word:
        return word(key.low);
    case KeyType::Protocol:
    case KeyType::Port:
        return key.low == key.high ? fmt::format("{}", key.low)
                                   : fmt::format("{}-{}", key.low, key.high);
    case KeyType::Ipv4:
    case KeyType::Ipv6:
        return addresses(key);
    case KeyType::Interface:
        return fmt::format("\"{}\"", key.interface);
    case KeyType::InterfaceIpv4:
    case KeyType::InterfaceIpv6:
        return fmt::format("\"{}\" . {}", key.interface, addresses(key));
    }
    return "";
}

/// Small words as the numbers they are, which nft(8) takes as well: most of a file are elements.
std::string value_text(const Value& value) {
    if (const auto* number = std::get_if<std::uint32_t>(&value))
        return " :" + (*number >> 16 == 0 ? std::to_string(*number) : word(*number));
    if (const auto* to = std::get_if<Goto>(&value))
        return " :goto " + to->chain;
    return "";
}

std::string field(const AddressField& address) {
    return fmt::format("{} {}", address.family == net::Family::V4 ? "ip" : "ip6",
                       address.source ? "saddr" : "daddr");
}

std::string_view name_of_interface(bool incoming) {
    return incoming ? "iifname" : "oifname";
}

template <class List>
std::string joined(const List& list, const char* separator, const char* format) {
    std::string out;
    for (const auto& item : list)
        out += (out.empty() ? "" : separator) + fmt::format(fmt::runtime(format), item);
    return out;
}

struct MatchText {
    std::string operator()(const InterfaceIs& m) const {
        return fmt::format("{} {}\"{}\"", name_of_interface(m.incoming), m.negated ? "!= " : "",
                           m.name);
    }
    std::string operator()(const FamilyIs& m) const {
        return fmt::format("meta nfproto {}", m.family == net::Family::V4 ? 2 : 10);
    }
    std::string operator()(const WordIs& m) const {
        if (m.mask == ~0u)
            return "meta priority " + word(m.value);
        return fmt::format("meta priority & {} == {}", word(m.mask), word(m.value));
    }
    std::string operator()(const FlowMarkIs& m) const {
        return fmt::format("ct mark & {} {} {}", mark(m.mask),
                           m.negated ? "!=" : "==", flow_bits(m.value, m.generation));
    }
    std::string operator()(const StateIn& m) const {
        return "ct state " + joined(m.bits, ",", "{:#x}");
    }
    std::string operator()(const DirectionIs& m) const {
        return fmt::format("ct direction {}", m.reply ? 1 : 0);
    }
    std::string operator()(const IcmpTypeIn& m) const {
        const std::string_view what = m.v6 ? "icmpv6" : "icmp";
        if (m.types.size() == 1)
            return fmt::format("{} type {}", what, m.types.front());
        return fmt::format("{} type {{ {} }}", what, joined(m.types, ", ", "{}"));
    }
    std::string operator()(const AddressIs& m) const {
        const bool one = m.cidr.prefix == net::width(m.cidr.family());
        return field(m.address) + " " +
               (one ? net::to_string(m.cidr.base) : net::to_string(m.cidr));
    }
    std::string operator()(const AddressIn& m) const { return field(m.address) + " @" + m.set; }
    std::string operator()(const ProtocolIs& m) const {
        return fmt::format("meta l4proto {}", m.protocol);
    }
    std::string operator()(const PortIs& m) const {
        const char* name = m.protocol == net::kTcp   ? "tcp"
                           : m.protocol == net::kUdp ? "udp"
                                                     : "sctp";
        return fmt::format("{} {} {}", name, m.source ? "sport" : "dport", m.port);
    }
    std::string operator()(const DscpIn& m) const {
        if (m.values.size() == 1)
            return fmt::format("ip dscp 0x{:02x}", m.values.front());
        return fmt::format("ip dscp {{ {} }}", joined(m.values, ", ", "0x{:02x}"));
    }
    std::string operator()(const PairIn& m) const {
        return fmt::format("{} . {} @{}", name_of_interface(m.incoming), field(m.address), m.set);
    }
};

struct StatementText {
    std::string operator()(const SetWord& s) const { return "meta priority set " + word(s.value); }
    std::string operator()(const OrWord& s) const {
        return "meta priority set meta priority | " + word(s.bits);
    }
    std::string operator()(const WordByAddress& s) const {
        return fmt::format("meta priority set {} map @{}", field(s.address), s.map);
    }
    std::string operator()(const WordByWord& s) const {
        if (s.mask == ~0u)
            return "meta priority set meta priority map @" + s.map;
        return fmt::format("meta priority set meta priority & {} map @{}", word(s.mask), s.map);
    }
    std::string operator()(const SetFlowMark& s) const {
        // As the kernel's listing has it: the bits that are set anyway are kept as well.
        std::string out = "ct mark set ct mark";
        if ((s.keep | s.bits) != ~0u)
            out += " & " + mark(s.keep | s.bits);
        if (s.generation && s.bits != 0)
            return out + fmt::format(" | ({})", flow_bits(s.bits, true));
        return s.generation || s.bits != 0 ? out + " | " + flow_bits(s.bits, s.generation) : out;
    }
    std::string operator()(const JumpByWord& s) const {
        if (s.mask == ~0u)
            return "meta priority vmap @" + s.map;
        return fmt::format("meta priority & {} vmap @{}", word(s.mask), s.map);
    }
    std::string operator()(const JumpByInterface& s) const {
        return fmt::format("{} vmap @{}", name_of_interface(s.incoming), s.map);
    }
    std::string operator()(const JumpByProtocol& s) const { return "meta l4proto vmap @" + s.map; }
    std::string operator()(const JumpByPort& s) const {
        return fmt::format("th {} vmap @{}", s.source ? "sport" : "dport", s.map);
    }
    std::string operator()(const WordByPair& s) const {
        return fmt::format("meta priority set {} . {} map @{}", name_of_interface(s.incoming),
                           field(s.address), s.map);
    }
    std::string operator()(const Counter& s) const {
        if (s.packets == 0 && s.bytes == 0)
            return std::string("counter");
        return fmt::format("counter packets {} bytes {}", s.packets, s.bytes);
    }
    std::string operator()(const Log& s) const {
        std::string out;
        if (s.at_most) {
            out = fmt::format("limit rate {}/{} ", s.at_most->packets, s.at_most->unit);
            if (s.at_most->burst != Rate{}.burst)
                out += fmt::format("burst {} packets ", s.at_most->burst);
        }
        out += fmt::format("log prefix \"{}\"", s.prefix);
        return s.group ? out + fmt::format(" group {}", *s.group) : out;
    }
    std::string operator()(const NoTrack&) const { return "notrack"; }
    std::string operator()(const Verdict& s) const {
        switch (s.kind) {
        case Verdict::Kind::Accept:
            return "accept";
        case Verdict::Kind::Drop:
            return "drop";
        case Verdict::Kind::Reject:
            return "reject";
        case Verdict::Kind::Return:
            return "return";
        case Verdict::Kind::Jump:
            return "jump " + s.chain;
        case Verdict::Kind::Goto:
            return "goto " + s.chain;
        }
        return "";
    }
};

void print_map(std::string& out, const Map& map) {
    out += fmt::format("\t{} {} {{\n\t\ttype {}", map.kind == Map::Kind::Set ? "set" : "map",
                       map.name, type_name(map.key));
    if (map.kind != Map::Kind::Set)
        out += map.kind == Map::Kind::Words ? " : classid" : " : verdict";
    out += map.interval ? "\n\t\tflags interval\n" : "\n";
    if (!map.elements.empty())
        out += "\t\telements = " + print_elements(map) + "\n";
    out += "\t}\n\n";
}

} // namespace

const Map* Ruleset::find_map(std::string_view name) const {
    const auto place =
        std::lower_bound(maps.begin(), maps.end(), name,
                         [](const Map& map, std::string_view wanted) { return map.name < wanted; });
    return place != maps.end() && place->name == name ? &*place : nullptr;
}

const Chain* Ruleset::find_chain(std::string_view name) const {
    const auto place = std::lower_bound(
        chains.begin(), chains.end(), name,
        [](const Chain& chain, std::string_view wanted) { return chain.name < wanted; });
    return place != chains.end() && place->name == name ? &*place : nullptr;
}

void Ruleset::sort() {
    const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
    for (Map& map : maps)
        std::sort(map.elements.begin(), map.elements.end());
    std::sort(maps.begin(), maps.end(), by_name);
    std::sort(chains.begin(), chains.end(), by_name);
}

std::vector<const Map*> Ruleset::maps_to_make() const {
    std::vector<const Map*> out;
    for (const Map& map : maps)
        out.push_back(&map);
    std::stable_partition(out.begin(), out.end(), [](const Map* map) {
        return map->key == KeyType::Ipv4 || map->key == KeyType::Ipv6 ||
               map->key == KeyType::InterfaceIpv4 || map->key == KeyType::InterfaceIpv6;
    });
    return out;
}

std::string print_elements(const Map& map) {
    // Indented and one a line, as nft lists them, a node's file would be a third larger.
    constexpr std::size_t kWidth = 100;
    std::string out = "{ ";
    std::size_t line = 0; // where it begins
    for (std::size_t i = 0; i < map.elements.size(); ++i) {
        if (i != 0 && out.size() - line < kWidth)
            out += ",";
        else if (i != 0) {
            out += ",\n\t\t";
            line = out.size();
        }
        out += key_text(map.key, map.elements[i].key);
        out += value_text(map.elements[i].value);
    }
    return out + " }";
}

std::string print(const Rule& rule) {
    std::string out;
    const auto add = [&](const std::string& part) { out += (out.empty() ? "" : " ") + part; };
    for (const Match& match : rule.matches)
        add(std::visit(MatchText{}, match));
    for (const Statement& statement : rule.statements)
        add(std::visit(StatementText{}, statement));
    if (!rule.comment.empty())
        add(fmt::format("comment \"{}\"", rule.comment));
    return out;
}

std::string print(const Ruleset& ruleset) {
    std::string out = fmt::format("table inet {} {{\n", ruleset.table);
    for (const Map* map : ruleset.maps_to_make())
        print_map(out, *map);
    for (const Chain& chain : ruleset.chains) {
        out += fmt::format("\tchain {} {{\n", chain.name);
        if (!chain.hook.empty())
            out += fmt::format("\t\ttype filter hook {} priority {}; policy accept;\n", chain.hook,
                               chain.priority);
        for (const Rule& rule : chain.rules)
            out += "\t\t" + print(rule) + "\n";
        out += "\t}\n\n";
    }
    return out + "}\n";
}

std::string print_replacing(const Ruleset& ruleset) {
    // "table" makes it where it is not there, so that "delete" never fails.
    std::string text =
        fmt::format("table inet {0} {{\n}}\ndelete table inet {0}\n", ruleset.table) +
        print(ruleset);
    if (text.find("$generation") == std::string::npos)
        return text;
    return take_generation(ruleset.table) + text;
}

std::string take_generation(const std::string& table) {
    return fmt::format("delete element inet {}_generations free {{ $generation }}\n", table);
}

Ruleset with_generation(Ruleset ruleset, std::uint32_t bits) {
    for (Chain& chain : ruleset.chains)
        for (Rule& rule : chain.rules) {
            for (Match& match : rule.matches)
                if (auto* is = std::get_if<FlowMarkIs>(&match); is != nullptr && is->generation)
                    *is = {is->mask, is->value | bits, false, is->negated};
            for (Statement& statement : rule.statements)
                if (auto* set = std::get_if<SetFlowMark>(&statement);
                    set != nullptr && set->generation)
                    *set = {set->keep, set->bits | bits, false};
        }
    return ruleset;
}

Ruleset with_flow_marks_moved(Ruleset ruleset, int places) {
    const auto move = [&](std::uint32_t& bits) { bits = std::rotl(bits, places); };
    for (Chain& chain : ruleset.chains)
        for (Rule& rule : chain.rules) {
            for (Match& match : rule.matches)
                if (auto* is = std::get_if<FlowMarkIs>(&match))
                    move(is->mask), move(is->value);
            for (Statement& statement : rule.statements)
                if (auto* set = std::get_if<SetFlowMark>(&statement))
                    move(set->keep), move(set->bits);
        }
    return ruleset;
}

std::string print_free_generations(const std::string& table,
                                   const std::vector<std::uint32_t>& numbers) {
    // A block after "create" is passed over by nft 1.0.6.
    return fmt::format(
        "create table inet {0}_generations\ntable inet {0}_generations {{\n\tset free "
        "{{\n\t\ttype mark\n\t\telements = {{ {1} }}\n\t}}\n}}\n",
        table, joined(numbers, ",\n\t\t\t     ", "0x{:08x}"));
}

} // namespace polecat::nft
