/// IP protocols, port ranges and sets of ports.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace polecat::net {

/// IANA protocol number. Named constants for those that Calico knows by name.
using Protocol = std::uint8_t;
inline constexpr Protocol kIcmp = 1, kIpIp = 4, kTcp = 6, kUdp = 17, kIcmpV6 = 58, kSctp = 132,
                          kUdpLite = 136;

/// TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite in any case; no numbers.
std::optional<Protocol> protocol_by_name(std::string_view name);
/// "TCP", or the number for protocols without a name here.
std::string to_string_protocol(Protocol protocol);
/// TCP, UDP, SCTP: those whose ports Calico policy looks at.
bool has_ports(Protocol protocol);

/// Closed range of ports, 0 to 65535.
struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = 65535;
    auto operator<=>(const PortRange&) const = default;
};

/// Sorted, disjoint, non-adjacent ranges: equal sets compare equal.
class PortSet {
  public:
    PortSet() = default;
    static PortSet of(PortRange range);
    static PortSet of(const std::vector<PortRange>& ranges);
    bool empty() const { return ranges_.empty(); }
    bool contains(std::uint16_t port) const;
    PortSet operator|(const PortSet& other) const;
    PortSet operator&(const PortSet& other) const;
    PortSet operator-(const PortSet& other) const;
    const std::vector<PortRange>& ranges() const { return ranges_; }
    auto operator<=>(const PortSet&) const = default;

  private:
    std::vector<PortRange> ranges_;
};

} // namespace polecat::net
