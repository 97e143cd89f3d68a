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
    bool invalid = false, related = false, established = false;
    auto operator<=>(const FlowState&) const = default;
};
struct IsReply {
    auto operator<=>(const IsReply&) const = default;
};
/// The conntrack mark's bits 16 to 28: the generation that judged the flow (absent: that of a file,
/// which says `@G@` for its three digits), and whether it was denied.
struct FlowMark {
    bool denied = false;
    std::optional<std::uint16_t> generation;
    auto operator<=>(const FlowMark&) const = default;
};
struct FlowMarkIs {
    FlowMark mark;
    auto operator<=>(const FlowMarkIs&) const = default;
};
/// A BPF program says yes: the place where it is pinned.
struct PinnedSays {
    std::string program;
    auto operator<=>(const PinnedSays&) const = default;
};
using Match = std::variant<InterfaceIs, ProtocolIs, NotFlowProtocol, PortIn, IcmpIs, InSet,
                           FlowState, IsReply, FlowMarkIs, PinnedSays>;

// --- rules and chains ----------------------------------------------------------------------------

struct Target {
    enum class Kind : std::uint8_t { Accept, Drop, Return, Jump, Goto, Log, SetFlowMark };
    Kind kind = Kind::Drop;
    std::string name; ///< of a chain; Log: the prefix
    FlowMark mark;
    auto operator<=>(const Target&) const = default;
};

struct Rule {
    std::vector<Match> matches; ///< interfaces and protocol first, as listings have them
    std::string comment;
    Target target;
    auto operator<=>(const Rule&) const = default;
};

struct Chain {
    std::string name; ///< at most 28 characters
    std::vector<Rule> rules;
    auto operator<=>(const Chain&) const = default;
};

/// Table `filter` of one family, as far as it is ours.
struct Table {
    std::vector<Chain> chains;
    const Chain* find(std::string_view name) const;
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

    void sort(); ///< sets, members and chains; not the rules of a chain
    const Table& table(net::Family family) const { return family == net::Family::V4 ? v4 : v6; }
    Table& table(net::Family family) { return family == net::Family::V4 ? v4 : v6; }
    const Set* find_set(std::string_view name) const;
    auto operator<=>(const Ruleset&) const = default;
};

/// For `iptables-restore --noflush` (`ip6tables-restore` of the other family): all of it or
/// nothing.
std::string print(const Table& table);
/// For `ipset restore`: every set is filled under another name and swapped in, so that packets meet
/// the old members or the new.
std::string print(const std::vector<Set>& sets);

/// Ours, or what `iptables-save -t filter` lists: chains of others are passed over.
Result<Table> parse_table(std::string_view text);
/// Ours, or what `ipset save` lists.
Result<std::vector<Set>> parse_sets(std::string_view text);

/// A word as `-p` and ipset take it: "tcp", or the number.
std::string protocol_word(net::Protocol protocol);
std::optional<net::Protocol> protocol_of(std::string_view word);

/// The generation that a file has a place for. 1 to 4095.
std::string with_generation(std::string text, std::uint16_t generation);

} // namespace polecat::iptables
