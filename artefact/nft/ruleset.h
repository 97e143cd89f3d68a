/// The typed model of an nftables table as polecat writes it, and its text. Only shapes that nft
/// 1.0.6 lists as they were written are there, so that text, model and the kernel's own listing
/// (`nft -nn list table`) are faces of one thing. A word is what rules find out about a packet: it
/// is held where the packet's priority is, since marks are other programs'. Source: nft(8);
/// docs/nftables.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ir/net/address.h"
#include "ir/net/protocol.h"
#include "support/result.h"

namespace polecat::nft {

enum class KeyType : std::uint8_t {
    Word,
    Ipv4,
    Ipv6,
    Protocol,
    Port,
    Interface,
    InterfaceIpv4,
    InterfaceIpv6
};

/// A key, or a range of keys where the map has intervals.
struct Key {
    std::string interface; ///< Interface, InterfaceIpv4, InterfaceIpv6
    net::Address first, last;
    std::uint32_t low = 0, high = 0; ///< Word, Protocol, Port
    auto operator<=>(const Key&) const = default;
};

struct Goto {
    std::string chain;
    auto operator<=>(const Goto&) const = default;
};

/// A word, a chain, or nothing (elements of a set).
using Value = std::variant<std::monostate, std::uint32_t, Goto>;

struct Element {
    Key key;
    Value value;
    auto operator<=>(const Element&) const = default;
};

struct Map {
    enum class Kind : std::uint8_t { Set, Words, Verdicts };
    std::string name;
    KeyType key = KeyType::Word;
    Kind kind = Kind::Words;
    bool interval = false;
    std::vector<Element> elements; ///< sorted by key
    auto operator<=>(const Map&) const = default;
};

/// Which address of the packet.
struct AddressField {
    net::Family family = net::Family::V4;
    bool source = true;
    auto operator<=>(const AddressField&) const = default;
};

// --- what a rule asks ------------------------------------------------------------------------

/// iifname or oifname, a name or a prefix ("cali*").
struct InterfaceIs {
    bool incoming = true, negated = false;
    std::string name;
    auto operator<=>(const InterfaceIs&) const = default;
};
struct FamilyIs {
    net::Family family = net::Family::V4;
    auto operator<=>(const FamilyIs&) const = default;
};
/// word & mask == value. Mask ~0: the whole word.
struct WordIs {
    std::uint32_t mask = ~0u, value = 0;
    auto operator<=>(const WordIs&) const = default;
};
/// ct mark & mask == value.
struct FlowMarkIs {
    std::uint32_t mask = 0, value = 0;
    bool generation = false; ///< and the bits of `$generation`, which whoever loads it says
    bool negated = false;
    auto operator<=>(const FlowMarkIs&) const = default;
};
/// Bits of ct state: 1 invalid, 2 established, 4 related, 64 untracked.
struct StateIn {
    std::vector<unsigned> bits;
    auto operator<=>(const StateIn&) const = default;
};
struct DirectionIs {
    bool reply = false;
    auto operator<=>(const DirectionIs&) const = default;
};
/// icmp type or icmpv6 type, one or several.
struct IcmpTypeIn {
    bool v6 = false;
    std::vector<std::uint8_t> types;
    auto operator<=>(const IcmpTypeIn&) const = default;
};
/// The pair of interface and address is in a set.
struct PairIn {
    bool incoming = true;
    AddressField address;
    std::string set;
    auto operator<=>(const PairIn&) const = default;
};
struct AddressIs {
    AddressField address;
    net::Cidr cidr;
    auto operator<=>(const AddressIs&) const = default;
};
struct AddressIn {
    AddressField address;
    std::string set;
    auto operator<=>(const AddressIn&) const = default;
};
struct ProtocolIs {
    net::Protocol protocol = net::kIpIp;
    auto operator<=>(const ProtocolIs&) const = default;
};
/// A port of TCP, UDP or SCTP.
struct PortIs {
    net::Protocol protocol = net::kUdp;
    bool source = false;
    std::uint16_t port = 0;
    auto operator<=>(const PortIs&) const = default;
};
/// The packet asks for one of these treatments; one, or several.
struct DscpIn {
    std::vector<std::uint8_t> values;
    auto operator<=>(const DscpIn&) const = default;
};
using Match = std::variant<InterfaceIs, FamilyIs, WordIs, FlowMarkIs, StateIn, DirectionIs,
                           IcmpTypeIn, PairIn, AddressIs, AddressIn, ProtocolIs, PortIs, DscpIn>;

// --- what a rule does ------------------------------------------------------------------------

struct SetWord {
    std::uint32_t value = 0;
    auto operator<=>(const SetWord&) const = default;
};
struct OrWord {
    std::uint32_t bits = 0;
    auto operator<=>(const OrWord&) const = default;
};
/// The word becomes what a map has for the address: nothing happens where it has no such key.
struct WordByAddress {
    AddressField address;
    std::string map;
    auto operator<=>(const WordByAddress&) const = default;
};
struct WordByWord {
    std::string map;
    std::uint32_t mask = ~0u; ///< the bits that are looked up
    auto operator<=>(const WordByWord&) const = default;
};
/// The conntrack mark keeps `keep` and gets `bits`.
struct SetFlowMark {
    std::uint32_t keep = 0, bits = 0;
    bool generation = false; ///< likewise
    auto operator<=>(const SetFlowMark&) const = default;
};
struct JumpByWord {
    std::string map;
    std::uint32_t mask = ~0u; ///< the bits that are looked up
    auto operator<=>(const JumpByWord&) const = default;
};
struct JumpByProtocol {
    std::string map;
    auto operator<=>(const JumpByProtocol&) const = default;
};
/// The first (source) or second 16 bits of the transport header; the first of ICMP are its type and
/// code.
struct JumpByPort {
    bool source = false;
    std::string map;
    auto operator<=>(const JumpByPort&) const = default;
};
struct JumpByInterface {
    bool incoming = true;
    std::string map;
    auto operator<=>(const JumpByInterface&) const = default;
};
struct WordByPair {
    bool incoming = true;
    AddressField address;
    std::string map;
    auto operator<=>(const WordByPair&) const = default;
};
struct Counter {
    std::uint64_t packets = 0, bytes = 0;
    /// Counts are not part of what a ruleset says.
    bool operator==(const Counter&) const { return true; }
    std::strong_ordering operator<=>(const Counter&) const { return std::strong_ordering::equal; }
};
/// So many packets for each unit of time ("minute"), and so many more at once.
struct Rate {
    std::uint32_t packets = 10;
    std::string unit = "second";
    std::uint32_t burst = 5; ///< which is what nft(8) takes where none is given
    auto operator<=>(const Rate&) const = default;
};
struct Log {
    std::string prefix;
    std::optional<Rate> at_most = {};
    std::optional<std::uint16_t> group = {}; ///< of nfnetlink; absent: the kernel's own log
    auto operator<=>(const Log&) const = default;
};
/// The packet belongs to no connection.
struct NoTrack {
    auto operator<=>(const NoTrack&) const = default;
};
struct Verdict {
    enum class Kind : std::uint8_t { Accept, Drop, Reject, Return, Jump, Goto };
    Kind kind = Kind::Accept;
    std::string chain;
    auto operator<=>(const Verdict&) const = default;
};
using Statement = std::variant<SetWord, OrWord, WordByAddress, WordByWord, SetFlowMark, JumpByWord,
                               JumpByProtocol, JumpByPort, JumpByInterface, WordByPair, Counter,
                               Log, NoTrack, Verdict>;

struct Rule {
    std::vector<Match> matches;
    std::vector<Statement> statements;
    std::string comment;
    bool operator==(const Rule&) const = default;
};

struct Chain {
    std::string name;
    std::string hook; ///< "forward", "input", ...; empty: not a base chain
    int priority = 0;
    std::vector<Rule> rules;
    bool operator==(const Chain&) const = default;
};

/// table inet NAME.
struct Ruleset {
    std::string table = "polecat";
    std::vector<Map> maps;     ///< sorted by name
    std::vector<Chain> chains; ///< sorted by name
    bool operator==(const Ruleset&) const = default;

    const Map* find_map(std::string_view name) const;
    const Chain* find_chain(std::string_view name) const;
    void sort();
    /// In the order in which they are best made. The kernel finds a map by walking the list of all,
    /// the oldest first; so those by address, which change most, come before programs'.
    std::vector<const Map*> maps_to_make() const;
};

/// Text that `nft -f` loads and `nft -nn list table` shows again.
std::string print(const Ruleset& ruleset);
/// The same, after the table of that name is gone: one transaction that leaves nothing of what was
/// loaded before. Where `$generation` stands in it, it is first taken out of the free ones: refused
/// when it is not among them. parse() reads it too.
std::string print_replacing(const Ruleset& ruleset);
/// Takes `$generation` out of the free ones.
std::string take_generation(const std::string& table);
/// Numbers in place of `$generation`.
Ruleset with_generation(Ruleset ruleset, std::uint32_t bits);
/// Every bit of conntrack marks that rules name, so many places higher (lower where negative).
Ruleset with_flow_marks_moved(Ruleset ruleset, int places);
/// The table that holds the numbers that no connection of the node has: it can be made once only,
/// and outlives the rulesets.
std::string print_free_generations(const std::string& table,
                                   const std::vector<std::uint32_t>& numbers);
std::string print(const Rule& rule);
/// "{ KEY : VALUE, ... }".
std::string print_elements(const Map& map);
/// Reads both. Anything that is none of the shapes above is an error that names the line.
Result<Ruleset> parse(std::string_view text);

} // namespace polecat::nft
