/// The small texts of expectation files and of the command line: ends, ports, protocols and
/// connections. An error says what stands there and what was expected.
#pragma once

#include <string_view>

#include "ir/expectation.h"
#include "support/result.h"

namespace polecat::frontend {

/// NAMESPACE/NAME, KIND:NAMESPACE/NAME, hep:NAME, node:NAME, service:NAMESPACE/NAME, an address, a
/// CIDR, or FIRST-LAST.
Result<expectation::EndName> parse_end(std::string_view text);

/// A name (TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite) or a number from 0 to 255.
Result<net::Protocol> parse_protocol(std::string_view text);

/// 80/TCP.
Result<expectation::Traffic> parse_port(std::string_view text);

/// 8 or 8/0.
Result<expectation::Traffic> parse_icmp(std::string_view text, net::Protocol protocol);

/// `*`, or a list by protocol: `TCP 80,443-445; UDP *; ICMP 8/0,0-4/2; SCTP none; other *`.
Result<expectation::Connections> parse_connections(std::string_view text);

} // namespace polecat::frontend
