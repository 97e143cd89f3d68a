#include "artefact/iptables/ruleset.h"

#include <algorithm>
#include <charconv>

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

template <class Named>
const Named* find_named(const std::vector<Named>& list, std::string_view name) {
    const auto found = std::find_if(list.begin(), list.end(),
                                    [&](const Named& each) { return each.name == name; });
    return found == list.end() ? nullptr : &*found;
}

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

const Chain* Table::find(std::string_view name) const {
    return find_named(chains, name);
}

const Set* Ruleset::find_set(std::string_view name) const {
    return find_named(sets, name);
}

void Ruleset::sort() {
    const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
    std::sort(sets.begin(), sets.end(), by_name);
    for (Set& set : sets) {
        std::sort(set.members.begin(), set.members.end());
        set.members.erase(std::unique(set.members.begin(), set.members.end()), set.members.end());
    }
    for (Table* table : {&v4, &v6})
        std::sort(table->chains.begin(), table->chains.end(), by_name);
}

} // namespace polecat::iptables
