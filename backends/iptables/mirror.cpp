#include "backends/iptables/mirror.h"

#include <utility>

namespace polecat::iptables {

namespace {

/// ICMP messages that open a flow, and their answers (nf_conntrack_proto_icmp, _icmpv6). No flow
/// has any other.
std::uint8_t answer_of(bool v6, std::uint8_t type) {
    constexpr std::pair<int, int> kV4[] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}};
    constexpr std::pair<int, int> kV6[] = {{128, 129}, {139, 140}};
    const auto find = [&](const auto& pairs) {
        for (const auto& [one, other] : pairs)
            if (type == one || type == other)
                return static_cast<std::uint8_t>(type == one ? other : one);
        return type;
    };
    return v6 ? find(kV6) : find(kV4);
}

struct Mirror {
    template <class Other> void operator()(Other&) const {}
    void operator()(iptables::PortIn& match) const { match.source = !match.source; }
    void operator()(iptables::InSet& match) const { match.source = !match.source; }
    void operator()(iptables::IcmpIs& match) const { match.type = answer_of(match.v6, match.type); }
};

} // namespace

std::vector<iptables::Match> mirrored(std::vector<iptables::Match> matches) {
    for (iptables::Match& match : matches)
        std::visit(Mirror{}, match);
    return matches;
}

} // namespace polecat::iptables
