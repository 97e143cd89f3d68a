#include "ir/net/protocol.h"

#include <algorithm>
#include <array>

#include "support/letters.h"

namespace polecat::net {

namespace {

struct Named {
    std::string_view name;
    Protocol number;
};
constexpr std::array<Named, 6> kNames{{{"TCP", kTcp},
                                       {"UDP", kUdp},
                                       {"ICMP", kIcmp},
                                       {"ICMPv6", kIcmpV6},
                                       {"SCTP", kSctp},
                                       {"UDPLite", kUdpLite}}};

std::vector<PortRange> normalize(std::vector<PortRange> ranges) {
    std::sort(ranges.begin(), ranges.end());
    std::vector<PortRange> out;
    for (const PortRange& range : ranges) {
        if (range.first > range.last)
            continue;
        if (!out.empty() && range.first <= out.back().last + 1)
            out.back().last = std::max(out.back().last, range.last);
        else
            out.push_back(range);
    }
    return out;
}

} // namespace

std::optional<Protocol> protocol_by_name(std::string_view name) {
    for (const Named& each : kNames)
        if (equal_ignoring_case(each.name, name))
            return each.number;
    return std::nullopt;
}

std::string to_string_protocol(Protocol protocol) {
    for (const Named& each : kNames)
        if (each.number == protocol)
            return std::string(each.name);
    return std::to_string(protocol);
}

bool has_ports(Protocol protocol) {
    return protocol == kTcp || protocol == kUdp || protocol == kSctp;
}

PortSet PortSet::of(PortRange range) {
    return of(std::vector<PortRange>{range});
}

PortSet PortSet::of(const std::vector<PortRange>& ranges) {
    PortSet out;
    out.ranges_ = normalize(ranges);
    return out;
}

bool PortSet::contains(std::uint16_t port) const {
    return std::any_of(ranges_.begin(), ranges_.end(), [&](const PortRange& range) {
        return range.first <= port && port <= range.last;
    });
}

PortSet PortSet::operator|(const PortSet& other) const {
    std::vector<PortRange> all = ranges_;
    all.insert(all.end(), other.ranges_.begin(), other.ranges_.end());
    return of(all);
}

PortSet PortSet::operator&(const PortSet& other) const {
    PortSet out;
    for (const PortRange& a : ranges_)
        for (const PortRange& b : other.ranges_) {
            const PortRange both{std::max(a.first, b.first), std::min(a.last, b.last)};
            if (both.first <= both.last)
                out.ranges_.push_back(both);
        }
    return out;
}

PortSet PortSet::operator-(const PortSet& other) const {
    std::vector<PortRange> out;
    for (const PortRange& range : ranges_) {
        std::uint32_t from = range.first;
        for (const PortRange& cut : other.ranges_) {
            if (cut.last < from || cut.first > range.last)
                continue;
            if (from < cut.first)
                out.push_back(
                    {static_cast<std::uint16_t>(from), static_cast<std::uint16_t>(cut.first - 1)});
            from = cut.last + 1U;
        }
        if (from <= range.last)
            out.push_back({static_cast<std::uint16_t>(from), range.last});
    }
    return of(out);
}

} // namespace polecat::net
