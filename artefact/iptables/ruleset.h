/// The text of iptables-restore and ipset restore as types: what the iptables backend writes, and
/// what `iptables-save` and `ipset save` list of it.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ir/net/address.h"
#include "ir/net/protocol.h"
#include "support/result.h"

namespace polecat::iptables {

/// All chains and sets of ours have names that start with this; anything else is somebody else's.
inline constexpr std::string_view kPrefix = "polecat";

// --- what a rule asks ----------------------------------------------------------------------------

struct AddressIs {
    bool source = false;
    net::Cidr nets;
    auto operator<=>(const AddressIs&) const = default;
};
/// "cali+": any that starts with "cali".
struct InterfaceIs {
    bool incoming = false;
    std::string name;
    auto operator<=>(const InterfaceIs&) const = default;
};
struct ProtocolIs {
    bool negated = false;
    net::Protocol protocol = 0;
    auto operator<=>(const ProtocolIs&) const = default;
};
/// By conntrack: `! -p` can stand only once in a rule.
struct NotFlowProtocol {
    net::Protocol protocol = 0;
    auto operator<=>(const NotFlowProtocol&) const = default;
};
/// multiport: at most kMostPorts of them, a range counts as two.
struct PortIn {
    bool negated = false;
    bool source = false;
    std::vector<net::PortRange> ports;
    auto operator<=>(const PortIn&) const = default;
};
inline constexpr std::size_t kMostPorts = 15;
struct IcmpIs {
    bool negated = false;
    bool v6 = false;
    std::uint8_t type = 0;
    std::optional<std::uint8_t> code;
    auto operator<=>(const IcmpIs&) const = default;
};
/// `pair`: address and port, or address and interface.
struct InSet {
    bool negated = false;
    std::string set;
    bool source = false;
    bool pair = false;
    auto operator<=>(const InSet&) const = default;
};
struct FlowState {
    bool invalid = false, related = false, established = false, untracked = false;
    auto operator<=>(const FlowState&) const = default;
};
struct IsReply {
    auto operator<=>(const IsReply&) const = default;
};
/// The conntrack mark's bits 16 to 28 and 30: the generation that judged the flow (absent: that of
/// a file, which says `@G@` for its three digits), whether it was denied (28), and no
/// FlowBit::Leaving.
struct FlowMark {
    bool denied = false;
    std::optional<std::uint16_t> generation;
    auto operator<=>(const FlowMark&) const = default;
};
struct FlowMarkIs {
    FlowMark mark;
    auto operator<=>(const FlowMarkIs&) const = default;
};
/// Bits of the conntrack mark on a node with host endpoints: preDNAT policy took the flow (31,
/// since 29 is what that of nftables took), the host sent a packet of an unknown flow that is on
/// its way (30). Where no rules of nftables stand beside these, what other preDNAT policy takes
/// that is on its way in (29).
enum class FlowBit : std::uint8_t { Early, Leaving, EarlyNext };
struct FlowBitIs {
    FlowBit bit{};
    auto operator<=>(const FlowBitIs&) const = default;
};
/// A BPF program says yes: the place where it is pinned.
struct PinnedSays {
    std::string program;
    auto operator<=>(const PinnedSays&) const = default;
};
using Match = std::variant<AddressIs, InterfaceIs, ProtocolIs, NotFlowProtocol, PortIn, IcmpIs,
                           InSet, FlowState, IsReply, FlowMarkIs, FlowBitIs, PinnedSays>;

// --- rules and chains ----------------------------------------------------------------------------

struct Target {
    enum class Kind : std::uint8_t {
        Accept,
        Drop,
        Return,
        Jump,
        Goto,
        Log,
        SetFlowMark, ///< and not FlowBit::Leaving
        SetFlowBit,
        ClearFlowBit,
        NoTrack
    };
    Kind kind = Kind::Drop;
    std::string name; ///< of a chain; Log: the prefix
    FlowMark mark{};
    FlowBit bit{};
    auto operator<=>(const Target&) const = default;
};

struct Rule {
    /// Addresses, interfaces and protocol first, as listings have them.
    std::vector<Match> matches;
    std::string comment;
    Target target;
    auto operator<=>(const Rule&) const = default;
};

/// The first of a kind that it asks; null: none.
template <class Wanted> const Wanted* match_of(const Rule& rule) {
    for (const Match& match : rule.matches)
        if (const auto* found = std::get_if<Wanted>(&match))
            return found;
    return nullptr;
}

/// The tables that have chains of ours, in the order in which packets and restore meet them.
enum class In : std::uint8_t { Raw, Mangle, Filter };
/// "raw".
std::string_view to_string(In table);

struct Chain {
    std::string name; ///< at most 28 characters
    std::vector<Rule> rules;
    In table = In::Filter;
    auto operator<=>(const Chain&) const = default;
};

/// A rule of a chain of the kernel's that sends all packets to one of ours.
struct HookRule {
    In table = In::Filter;
    std::string of;       ///< "FORWARD"
    std::string chain;    ///< ours
    bool is_first = true; ///< of its chain
    auto operator<=>(const HookRule&) const = default;
};

/// Tables of one family, as far as they are ours.
struct Table {
    std::vector<Chain> chains;
    /// What a listing has of them; absent in files of chains.
    std::optional<std::vector<HookRule>> hooks{};
    const Chain* find(std::string_view name, In table = In::Filter) const;
    auto operator<=>(const Table&) const = default;
};

// --- sets ----------------------------------------------------------------------------------------

struct Member {
    net::Cidr nets;
    net::Protocol protocol = 0; ///< AddressPorts
    std::uint16_t port = 0;     ///< likewise
    std::string interface;      ///< NetInterfaces
    auto operator<=>(const Member&) const = default;
};

/// Of a set. The same always: one that is there must be of the same form.
inline constexpr std::uint64_t kMostMembers = 1U << 24;

struct Set {
    enum class Type : std::uint8_t { Nets, AddressPorts, NetInterfaces };
    std::string name; ///< at most 29 characters: while it is filled it has two more
    std::string what; ///< for people; listings of the kernel have none
    Type type = Type::Nets;
    net::Family family = net::Family::V4;
    std::vector<Member> members; ///< sorted, each once
    auto operator<=>(const Set&) const = default;
};

struct Ruleset {
    std::vector<Set> sets; ///< by name
    Table v4, v6;

    void sort(); ///< sets, members and chains, table by table; not the rules of a chain
    const Table& table(net::Family family) const { return family == net::Family::V4 ? v4 : v6; }
    Table& table(net::Family family) { return family == net::Family::V4 ? v4 : v6; }
    const Set* find_set(std::string_view name) const;
    auto operator<=>(const Ruleset&) const = default;
};

/// For `iptables-restore --noflush` (`ip6tables-restore` of the other family): all of a table or
/// nothing. `hooks`: rules to put first in chains of the kernel's.
std::string print(const Table& table, const std::vector<HookRule>& hooks = {});
/// For `ipset restore`: every set is filled under another name and swapped in, so that packets meet
/// the old members or the new.
std::string print(const std::vector<Set>& sets);

/// A rule as both take it behind `-A CHAIN`.
std::string rule_text(const Rule& rule);

/// Lines of `ipset restore` that make the set, without members, and that add a member or (`del`)
/// take it out.
std::string create_line(const Set& set);
std::string member_line(std::string_view verb, const Set& set, const Member& member);

/// Ours, or what `iptables-save` lists: chains of others are passed over.
Result<Table> parse_table(std::string_view text);
/// Ours, or what `ipset save` lists.
Result<std::vector<Set>> parse_sets(std::string_view text);

/// A word as `-p` and ipset take it: "tcp", or the number.
std::string protocol_word(net::Protocol protocol);
std::optional<net::Protocol> protocol_of(std::string_view word);

/// The generation that a file has a place for. 1 to 4095.
std::string with_generation(std::string text, std::uint16_t generation);

} // namespace polecat::iptables
