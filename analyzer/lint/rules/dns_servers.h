/// The pods that answer DNS, and the ports at which they listen. For analyzer/lint only.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "analyzer/lint/context.h"
#include "analyzer/lint/egress_fixes.h"

namespace polecat::lint {

constexpr std::uint16_t kDnsPort = 53;
constexpr std::uint16_t kOpenShiftDnsPort = 5353; ///< of the pods; their service has 53

/// A service may lead from port 53 to other ports, and policy sees those.
struct DnsPorts {
    std::set<std::uint16_t> udp, tcp;
    bool operator==(const DnsPorts&) const = default;
};

inline const DnsPorts kUsualDnsPorts{{kDnsPort}, {kDnsPort}};

struct DnsServers {
    std::map<std::uint32_t, DnsPorts> groups; ///< of the family's ends
    DnsPorts ports;                           ///< of all; of those that could be, without groups
    std::optional<DnsPods> pods;              ///< what tells them from other pods
    bool one_kind = true;                     ///< the same of all of them

    /// All listen on port 53, over both protocols.
    bool as_usual() const;
};

DnsServers dns_servers_of(const Context& context, const analyzer::EndGroups& ends);

} // namespace polecat::lint
