/// ConnectionSet: an exact set of what can be sent between two ends: protocol, destination and
/// source port, ICMP type and code, HTTP request over TCP. Canonical: equal sets compare equal.
#pragma once

#include <bitset>
#include <compare>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analyzer/algebra/http_atoms.h"
#include "ir/net/protocol.h"

namespace polecat::analyzer {

/// Pairs of destination port and source port, 1 to 65535 each: no connection has port 0.
class PortPairs {
  public:
    PortPairs() = default;
    static PortPairs of(const net::PortSet& destination, const net::PortSet& source);
    static PortPairs all();

    bool empty() const { return rows_.empty(); }
    PortPairs operator|(const PortPairs& other) const { return combine(other, Op::Or); }
    PortPairs operator&(const PortPairs& other) const { return combine(other, Op::And); }
    PortPairs operator-(const PortPairs& other) const { return combine(other, Op::Minus); }
    auto operator<=>(const PortPairs&) const = default;

    /// Destination ports with their source ports; sorted, disjoint, neighbours differ.
    struct Row {
        net::PortRange destination;
        net::PortSet source;
        auto operator<=>(const Row&) const = default;
    };
    const std::vector<Row>& rows() const { return rows_; }
    /// Destination ports that some source port reaches.
    net::PortSet destinations() const;

  private:
    enum class Op { Or, And, Minus };
    PortPairs combine(const PortPairs& other, Op op) const;
    std::vector<Row> rows_;
};

class ConnectionSet {
  public:
    ConnectionSet() = default;
    static const ConnectionSet& all();
    /// Every packet of one protocol.
    static ConnectionSet of(net::Protocol protocol);
    /// TCP, UDP or SCTP.
    static ConnectionSet of(net::Protocol protocol, PortPairs ports);
    /// ICMP or ICMPv6: type * 256 + code.
    static ConnectionSet of_icmp(net::Protocol protocol, net::PortSet types);
    /// Every protocol with ports.
    static ConnectionSet of_ports(const PortPairs& ports);
    /// HTTP requests on TCP connections; nothing of a connection whose requests nobody sees.
    static ConnectionSet of_requests(const HttpSet& requests, const PortPairs& ports);

    bool empty() const;
    ConnectionSet operator|(const ConnectionSet& other) const;
    ConnectionSet operator&(const ConnectionSet& other) const;
    ConnectionSet operator-(const ConnectionSet& other) const;
    bool operator==(const ConnectionSet&) const = default;
    std::size_t hash() const;

    const PortPairs& ports(net::Protocol protocol) const;         ///< TCP, UDP, SCTP
    const net::PortSet& icmp_types(net::Protocol protocol) const; ///< ICMP, ICMPv6
    bool has_other(net::Protocol protocol) const { return others_[protocol]; }
    /// Ports of a class of requests.
    const PortPairs& request_ports(std::uint32_t request) const;
    /// The same set as far as packets show it: requests are forgotten.
    ConnectionSet without_requests() const;

    /// As people write it: `*`, `TCP 80,443; UDP 53; other *`. Ports 1 to 65535 are all ports.
    /// Requests beyond what the ports allow anyway: `HTTP on TCP 80: GET /cart`.
    std::string describe(const HttpAtoms& atoms = {}) const;

  private:
    template <class Combine> ConnectionSet combined(const ConnectionSet& other, Combine op) const;

    /// A class of requests that is let through on other ports than connections are.
    struct Request {
        std::uint32_t atom = 0;
        PortPairs ports;
        auto operator<=>(const Request&) const = default;
    };

    std::string describe_packets() const;
    std::string describe_requests(const HttpAtoms& atoms) const;

    PortPairs tcp_, udp_, sctp_;
    std::vector<Request> requests_; ///< by atom, those whose ports are not tcp_
    net::PortSet icmp_, icmp6_;
    std::bitset<256> others_; ///< protocols without ports; never TCP, UDP, SCTP, ICMP, ICMPv6
};

} // namespace polecat::analyzer
