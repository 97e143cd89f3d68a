/// Maps, sets and their elements as nf_tables has them, described as nft(8) describes them, so that
/// its listing shows them as it would have made them itself. For runtime/netlink only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "artefact/nft/ruleset.h"
#include "runtime/netlink/messages.h"

namespace polecat::runtime::netlink {

/// `id`: within the transaction.
void write_map(Messages& out, const std::string& table, const nft::Map& map, std::uint32_t id);
/// Those of a map that is made in the same transaction, or is there.
void write_elements(Messages& out, const std::string& table, const nft::Map& map, bool fresh);
void write_elements_out(Messages& out, const std::string& table, const nft::Map& map);
void write_map_out(Messages& out, const std::string& table, const nft::Map& map);

/// Where a packet goes: the attributes of a verdict. `code`: NF_ACCEPT, NFT_GOTO, ...
void write_verdict(Messages& out, int attribute, int code, const std::string& chain = {});

/// What stands in a rule in braces, of one byte each.
enum class ByteSet : std::uint8_t { IcmpType, Icmp6Type, Dscp };
void write_byte_set(Messages& out, const std::string& table, ByteSet type,
                    const std::vector<std::uint8_t>& values, std::uint32_t id);
inline constexpr const char* kByteSetName = "__set%d"; ///< the kernel gives the number

/// A name that is padded to what a key has room for.
std::string interface_bytes(const std::string& name);
std::string address_bytes(const net::Address& address);

} // namespace polecat::runtime::netlink
