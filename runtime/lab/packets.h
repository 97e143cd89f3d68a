/// IP packets made by hand: one packet that opens a flow, with a number in it to know it by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
    /// What of a conversation it is. TCP: SYN, SYN and ACK, data; SCTP: INIT, INIT ACK, DATA.
    enum class Step : std::uint8_t { Opens, Answers, Follows } step = Step::Opens;
};

/// TCP, a UDP datagram, SCTP, an ICMP message, or bare bytes of another protocol.
std::string make_packet(const PacketSpec& spec);
/// The same in two fragments, the number in the second one.
std::vector<std::string> make_fragments(const PacketSpec& spec);
/// What says to the sender of a captured packet that nobody listens there, by the receiver.
std::string make_error(std::string_view packet);

/// The number in a packet's own payload; none in errors that quote one.
std::optional<std::uint64_t> find_nonce(std::string_view packet);
/// The number in the packet that an error quotes.
std::optional<std::uint64_t> find_quoted_nonce(std::string_view packet);

/// What answers a captured packet: ends and ports swapped, an echo request's code and identifier
/// kept.
PacketSpec answer_to(std::string_view packet, std::uint64_t nonce);

/// Network byte order.
std::string address_bytes(const net::Address& address);

} // namespace polecat::runtime
