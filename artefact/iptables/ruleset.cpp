#include "artefact/iptables/ruleset.h"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace polecat::iptables {

namespace {

struct NamedProtocol {
    const char* word;
    net::Protocol protocol;
};
/// The first of a number is what we write; the others are how listings may call it.
constexpr NamedProtocol kProtocols[] = {{"icmp", net::kIcmp},
                                        {"tcp", net::kTcp},
                                        {"udp", net::kUdp},
                                        {"sctp", net::kSctp},
                                        {"ipv6-icmp", net::kIcmpV6},
                                        {"udplite", net::kUdpLite},
                                        {"icmpv6", net::kIcmpV6},
                                        {"igmp", 2},
                                        {"ipencap", net::kIpIp},
                                        {"ipv4", net::kIpIp},
                                        {"egp", 8},
                                        {"dccp", 33},
                                        {"ipv6", 41},
                                        {"rsvp", 46},
                                        {"gre", 47},
                                        {"esp", 50},
                                        {"ah", 51},
                                        {"eigrp", 88},
                                        {"ospf", 89},
                                        {"ipip", 94},
                                        {"pim", 103},
                                        {"vrrp", 112},
                                        {"l2tp", 115}};

} // namespace

std::string protocol_word(net::Protocol protocol) {
    for (const NamedProtocol& each : kProtocols)
        if (each.protocol == protocol && (net::has_ports(protocol) || protocol == net::kIcmp ||
                                          protocol == net::kIcmpV6 || protocol == net::kUdpLite))
            return each.word;
    return std::to_string(protocol);
}

std::optional<net::Protocol> protocol_of(std::string_view word) {
    for (const NamedProtocol& each : kProtocols)
        if (each.word == word)
            return each.protocol;
    net::Protocol number = 0;
    const char* const end = word.data() + word.size();
    const auto [rest, error] = std::from_chars(word.data(), end, number);
    return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

std::string_view to_string(In table) {
    return table == In::Raw ? "raw" : table == In::Mangle ? "mangle" : "filter";
}

const Chain* Table::find(std::string_view name, In table) const {
    const auto found = std::find_if(chains.begin(), chains.end(), [&](const Chain& each) {
        return each.table == table && each.name == name;
    });
    return found == chains.end() ? nullptr : &*found;
}

const Set* Ruleset::find_set(std::string_view name) const {
    const auto found =
        std::find_if(sets.begin(), sets.end(), [&](const Set& each) { return each.name == name; });
    return found == sets.end() ? nullptr : &*found;
}

void Ruleset::sort() {
    std::sort(sets.begin(), sets.end(), [](const Set& a, const Set& b) { return a.name < b.name; });
    for (Set& set : sets) {
        std::sort(set.members.begin(), set.members.end());
        set.members.erase(std::unique(set.members.begin(), set.members.end()), set.members.end());
    }
    for (Table* table : {&v4, &v6})
        std::sort(table->chains.begin(), table->chains.end(), [](const Chain& a, const Chain& b) {
            return std::tie(a.table, a.name) < std::tie(b.table, b.name);
        });
}

} // namespace polecat::iptables
