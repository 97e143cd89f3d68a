/// Names and bits of the ruleset that emit() and read_back() share. docs/nftables.md has the map.
#pragma once

#include <string>

#include "backends/nftables/node_image.h"

namespace polecat::backends::layout {

/// meta mark while a packet is judged: an identity with the flag, later its class (bits 0 to 15)
/// with the L4 class (from bit 16) and the source-port class (from bit 23).
inline constexpr std::uint32_t kIdentityFlag = 0x40000000;
inline constexpr unsigned kL4Shift = 16, kSourcePortShift = 23;
/// kube-proxy's mark for masquerade, kept across.
inline constexpr std::uint32_t kForeignMark = 0x00004000;
/// Conntrack mark: the generation that judged the flow, and whether it was denied.
inline constexpr std::uint32_t kRevoked = 0x10000000, kFlowBits = 0x1fff0000;
inline constexpr std::uint32_t kForeignFlowBits = ~kFlowBits;

inline std::uint32_t identity_mark(std::uint32_t identity) {
    return kIdentityFlag | (identity + 1);
}

inline std::string family_digit(net::Family family) {
    return family == net::Family::V4 ? "4" : "6";
}
/// "p12", or "p12r" for replies.
inline std::string program_chain(std::uint32_t program, bool reply) {
    return "p" + std::to_string(program) + (reply ? "r" : "");
}
inline std::string own_chain(std::uint32_t program, bool reply, std::uint16_t own) {
    return program_chain(program, reply) + "_o" + std::to_string(own);
}
inline std::string l4_chain(std::uint16_t id) {
    return "l4_" + std::to_string(id);
}
inline std::string source_port_chain(std::uint16_t id) {
    return "sp_" + std::to_string(id);
}
inline std::string rows_map(std::uint32_t program, std::uint16_t own) {
    return "p" + std::to_string(program) + "_rows" + std::to_string(own);
}
inline std::string ports_map(std::uint32_t program, net::Protocol protocol) {
    return "p" + std::to_string(program) + "_port" + std::to_string(protocol);
}
inline std::string replies_map(std::uint32_t program, net::Protocol protocol) {
    return "p" + std::to_string(program) + "_reply" + std::to_string(protocol);
}
inline std::string cell_chain(std::uint32_t program, std::size_t cell) {
    return "p" + std::to_string(program) + "_c" + std::to_string(cell);
}

} // namespace polecat::backends::layout
