/// Names and bits of the ruleset that emit() and read_back() share. docs/nftables.md has the map.
#pragma once

#include <algorithm>
#include <bit>
#include <string>

#include "backends/node/node_image.h"

namespace polecat::backends::layout {

/// The word while a packet is judged: an identity with its flag; then its row (bits 0 to 15) with
/// the L4 class (from bit 16) and the source-port class (above that); then a cell with its flag.
inline constexpr std::uint32_t kIdentityFlag = 0x40000000, kCellFlag = 0x80000000;
inline constexpr unsigned kL4Shift = 16;
/// A cell, or what is left of a row when none of its exceptions is met.
inline constexpr std::uint32_t kCellOrRow = kCellFlag | (kMostNumbers - 1);
static_assert(kMostNumbers == 1U << kL4Shift);
/// After a program of a hook where an Allow skips later ones: it was one. 0: nothing matched.
inline constexpr std::uint32_t kTaken = 0xc0000000;
/// Conntrack mark, as of kFlowMarkBit; emit() moves it to where the node has it: the generation
/// that judged the flow, whether it was denied, whether preDNAT policy took it; and while a packet
/// of an unknown flow is on its way through the node, that the host sent it.
inline constexpr std::uint32_t kGeneration = 0x0fff0000, kRevoked = 0x10000000, kEarly = 0x20000000,
                               kLeaving = 0x40000000;
/// What a verdict says. kEarly stays as it is: rules of iptables beside these put their own number
/// there between PREROUTING, where preDNAT policy is asked of unknown flows, and what goes by it.
inline constexpr std::uint32_t kVerdict = kGeneration | kRevoked | kLeaving;
inline constexpr std::uint32_t kFlowBits = kVerdict | kEarly;

/// Where host endpoints' programs are asked: a chain of that name, and maps from interfaces.
struct Stage {
    const char* name;
    decision::Hook hook;
    decision::Direction direction;

    bool incoming() const { return direction == decision::Direction::Ingress; }
    std::string map(const char* family) const { return std::string(name) + family; }
};
inline constexpr Stage kHostIn{"host_in", decision::Hook::Normal, decision::Direction::Ingress},
    kHostOut{"host_out", decision::Hook::Normal, decision::Direction::Egress},
    kThroughIn{"through_in", decision::Hook::Forward, decision::Direction::Ingress},
    kThroughOut{"through_out", decision::Hook::Forward, decision::Direction::Egress},
    kEarlyIn{"early_in", decision::Hook::PreDnat, decision::Direction::Ingress},
    kRawIn{"raw_in", decision::Hook::Untracked, decision::Direction::Ingress},
    kRawOut{"raw_out", decision::Hook::Untracked, decision::Direction::Egress};
inline constexpr Stage kStages[] = {kHostIn,  kHostOut, kThroughIn, kThroughOut,
                                    kEarlyIn, kRawIn,   kRawOut};
inline constexpr const char* kTunnelComment = "tunnels of nodes";

inline bool is_at(const AttachPoint& point, const Stage& stage) {
    return point.hook == stage.hook && point.direction == stage.direction;
}
/// Whether an Allow of such a program is told to whoever asked.
inline bool tells(decision::Hook hook) {
    return hook == decision::Hook::PreDnat || hook == decision::Hook::Untracked;
}

inline std::uint32_t identity_mark(std::uint32_t identity) {
    return kIdentityFlag | (identity + 1);
}
/// The bits of an identity's mark that say its block, and what they are.
inline constexpr std::uint32_t kBlockMask = ~((1U << kBlockBits) - 1);
inline std::uint32_t block_mark(std::uint32_t block) {
    return kIdentityFlag | (block << kBlockBits);
}

/// Where a program's classes of source ports stand: above those of its L4 classes.
inline unsigned source_port_shift(const ProgramImage& program) {
    return kL4Shift + static_cast<unsigned>(std::bit_width(program.l4.count - 1U));
}
inline std::uint16_t source_port_count(const ProgramImage& program) {
    std::uint16_t out = 0;
    for (const decision::Piece& piece : program.source_ports)
        out = std::max(out, static_cast<std::uint16_t>(piece.id + 1));
    return out;
}

inline std::string family_digit(net::Family family) {
    return family == net::Family::V4 ? "4" : "6";
}
/// Where the identity of an address is found.
inline std::string identify_chain(net::Family family, bool source) {
    return (source ? "source" : "destination") + family_digit(family);
}
/// Of a program for replies.
inline std::string program_chain(const std::string& program, bool reply) {
    return program + (reply ? "r" : "");
}
inline std::string own_chain(const std::string& program, bool reply, std::size_t own) {
    return program_chain(program, reply) + "_o" + std::to_string(own);
}
inline std::string l4_chain(std::uint16_t id) {
    return "l4_" + std::to_string(id);
}
inline std::string source_port_chain(unsigned shift, std::uint16_t id) {
    return "sp" + std::to_string(shift) + "_" + std::to_string(id);
}
inline std::string others_map(const std::string& program, std::size_t own) {
    return program + "_others" + std::to_string(own);
}
inline std::string blocks_map(const std::string& program, std::size_t own) {
    return program + "_blocks" + std::to_string(own);
}
inline std::string ports_map(const std::string& program, net::Protocol protocol) {
    return program + "_port" + std::to_string(protocol);
}
inline std::string replies_map(const std::string& program, net::Protocol protocol) {
    return program + "_reply" + std::to_string(protocol);
}
inline std::string cell_chain_prefix(const std::string& program) {
    return program + "_c";
}
inline std::string cell_chain(const std::string& program, std::uint32_t cell) {
    return cell_chain_prefix(program) + std::to_string(cell);
}
/// What a cell's comment says where nothing matched.
inline constexpr const char* kGoesOn = " goes on";
/// What stands in the chain of a closed program.
inline std::string closed_comment(decision::Direction direction, net::Family family) {
    return std::string(decision::to_string(direction)) + " IPv" + family_digit(family) +
           " closed: its policy is larger than rules can tell";
}
/// Maps that come under two names in turn.
inline constexpr const char* kSlots[] = {"addr4", "addr6", "net4",   "net6",
                                         "pod4",  "pod6",  "range4", "range6"};

} // namespace polecat::backends::layout
