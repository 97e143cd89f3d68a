/// Expectations: the typed form of a `polecat test` file (PolicyTest, PolicyDiffTest), and of the
/// ends and connections that people write in it and on the command line.
/// The format is described in docs/policytest.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ir/decision/eval.h"
#include "ir/decision/flow.h"
#include "ir/decision/program.h"
#include "ir/net/address.h"
#include "ir/net/protocol.h"
#include "support/source.h"

namespace polecat::expectation {

/// An end of a flow as written.
struct EndName {
    enum class Kind : std::uint8_t {
        Workload,     ///< NAMESPACE/NAME or KIND:NAMESPACE/NAME
        HostEndpoint, ///< hep:NAME
        Node,         ///< node:NAME
        Service,      ///< service:NAMESPACE/NAME
        Addresses,    ///< an address, a CIDR, or FIRST-LAST
    };
    Kind kind = Kind::Workload;
    std::string manifest_kind; ///< Workload: in lower case; empty: any kind
    std::string space, name;
    net::Range range; ///< Addresses
    std::string text; ///< as written
    Span span;
};

/// What is sent, apart from the two ends.
struct Traffic {
    net::Protocol protocol = net::kTcp;
    std::optional<std::uint16_t> port; ///< destination port
    std::optional<std::uint8_t> icmp_type, icmp_code;
};
/// "80/TCP", "ICMP 8/0", "47".
std::string to_string(const Traffic& traffic);

/// Ask one endpoint's own program instead of both ends.
struct Probe {
    EndName at;
    policy::Direction direction = policy::Direction::Ingress;
    decision::Hook hook = decision::Hook::Normal;
};

/// A row of `cases`: lists mean every combination.
struct Case {
    std::vector<EndName> from, to;
    std::vector<Traffic> traffic;
    std::optional<std::uint16_t> source_port;
    std::optional<decision::Flow::Http> http;
    std::optional<Probe> probe;
    bool whole_way = false; ///< `route: wire`: everything on the way, not the ends' policies alone
    At<decision::Verdict> expect;
    At<std::string> by; ///< empty: not asked
    Span span;
};

/// Ranges of ICMP types and codes, both ends included.
struct IcmpRange {
    std::uint8_t type_first = 0, type_last = 255, code_first = 0, code_last = 255;
    auto operator<=>(const IcmpRange&) const = default;
};

/// The connections of one protocol. Nothing set: none.
struct ProtocolConnections {
    net::Protocol protocol = net::kTcp;
    bool all = false;
    net::PortSet ports;          ///< when not all
    std::vector<IcmpRange> icmp; ///< ICMP and ICMPv6, when not all
    auto operator<=>(const ProtocolConnections&) const = default;
};

/// "TCP 80,443-445; UDP *; ICMP 8/0; other *".
struct Connections {
    std::vector<ProtocolConnections> named; ///< by protocol, each once
    bool other = false;                     ///< every protocol that is not named
    auto operator<=>(const Connections&) const = default;
};

/// A row of `connectivity.allow`.
struct ConnectivityRow {
    EndName from, to;
    Connections connections;
    std::string text; ///< of the connections, as written
    Span span;
};

struct Connectivity {
    std::vector<EndName> endpoints; ///< empty: all workloads and all outside addresses
    std::vector<ConnectivityRow> allow;
    Span span;
};

struct Test {
    std::string name, source, note;
    std::vector<At<std::string>> manifests; ///< relative to the file
    std::vector<Case> cases;
    std::optional<Connectivity> connectivity;
    Span span;
};

/// Two versions compared.
struct DiffTest {
    std::string name, source, note;
    std::vector<At<std::string>> base, head;
    std::optional<At<bool>> opens, closes; ///< absent: not asked
    Span span;
};

using Document = std::variant<Test, DiffTest>;

} // namespace polecat::expectation
