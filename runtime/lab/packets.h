/// IP packets made by hand: one packet that opens a flow, with a number in it to know it by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ir/net/address.h"
#include "ir/net/protocol.h"

namespace polecat::runtime {

struct PacketSpec {
    net::Address source, destination;
    net::Protocol protocol = net::kTcp;
    std::uint16_t source_port = 0, destination_port = 0;
    std::uint8_t icmp_type = 8, icmp_code = 0;
    std::uint16_t icmp_id = 0;
    std::uint64_t nonce = 0;
};

/// A TCP SYN, a UDP datagram, an SCTP INIT, an ICMP message, or bare bytes of another protocol.
std::string make_packet(const PacketSpec& spec);

/// The number in a packet's own payload; none in errors that quote one.
std::optional<std::uint64_t> find_nonce(std::string_view packet);

/// What answers a captured IPv4 packet of UDP, or an echo request: ends and ports swapped, the
/// request's code and identifier kept.
PacketSpec answer_to(std::string_view packet, std::uint64_t nonce);

/// Network byte order.
std::string address_bytes(const net::Address& address);

} // namespace polecat::runtime
