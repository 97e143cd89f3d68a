/// What one node must enforce, whichever backend does it: addresses with their identities, which
/// program each endpoint's interface runs, and every program as a table over identities. A backend
/// writes it and recovers it; equal images, equal enforcement.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ir/decision/table.h"
#include "ir/policy/objects.h"
#include "support/shared.h"

namespace polecat::backends {

/// Identities whose endpoints are of one namespace have numbers of the same blocks, so that a
/// program can say once what most of a namespace gets.
inline constexpr unsigned kBlockBits = 12;
/// Numbers of identities are below this: a word holds one more, with two flags.
inline constexpr std::uint32_t kMostIdentities = (1U << 30) - 1;
inline std::uint32_t block_of(std::uint32_t identity) {
    return identity >> kBlockBits;
}

/// Numbers of rows and of cells of a program are below this, in 16 bits of a word.
inline constexpr std::uint32_t kMostNumbers = 1U << 16;

/// Where nothing else is said, and the highest: nft(8) lists masks that end with bit 31 otherwise.
inline constexpr unsigned kFlowMarkBit = 16, kLastFlowMarkBit = 16;

/// NoMatch: nothing matched at a hook where that is no verdict, so the packet goes on; what is
/// allowed by a rule there skips what comes later.
enum class Outcome : std::uint8_t { Deny, Allow, NoMatch };

/// What is decided, by which slot.
struct CellImage {
    Outcome outcome = Outcome::Deny;
    std::uint32_t slot = 0;
    std::vector<std::uint32_t> logs;
    bool staged_allow = false; ///< with staged policies enforced; also where it goes on
    bool passes() const { return outcome != Outcome::Deny; }
    auto operator<=>(const CellImage&) const = default;
};

/// A program's table with its classes spelt out as identities. Every level has what is usual and
/// lists the rest. Numbers of rows and cells stay when others come or go.
struct ProgramImage {
    decision::Hook hook = decision::Hook::Normal;
    decision::Direction direction = decision::Direction::Ingress;
    net::Family family = net::Family::V4;
    /// Larger than what can be told: nothing is allowed. The rest is empty then.
    bool closed = false;
    decision::Pieces source_ports;
    decision::L4Classes l4;
    std::map<std::uint32_t, CellImage> cells;
    std::map<std::uint32_t, decision::Row> rows; ///< their cells by number
    /// Class of the endpoint's own side, of each identity that runs the program; empty where all
    /// are of class 0.
    std::map<std::uint32_t, std::uint16_t> own;
    /// The other side, as an own class sees it: rows of identities.
    struct Others {
        std::uint32_t usual = 0;                       ///< of identities that neither lists
        std::map<std::uint32_t, std::uint32_t> rows;   ///< by identity; else
        std::map<std::uint32_t, std::uint32_t> blocks; ///< by block

        std::uint32_t row_of(std::uint32_t identity) const;
        auto operator<=>(const Others&) const = default;
    };
    std::vector<Others> others; ///< by own class
    auto operator<=>(const ProgramImage&) const = default;
};

/// Endpoints' addresses that run the same programs.
struct EndpointGroup {
    std::string egress, ingress; ///< names of programs
    auto operator<=>(const EndpointGroup&) const = default;
};

/// One address of a local endpoint.
struct DispatchEntry {
    std::string interface;
    net::Address address;
    std::uint32_t group = 0;
    auto operator<=>(const DispatchEntry&) const = default;
};

/// A range of addresses that a local endpoint may send from beside its own.
struct SourceRange {
    std::string interface;
    net::Range range;
    std::uint32_t group = 0;
    auto operator<=>(const SourceRange&) const = default;
};

/// A program of a host endpoint, at the interface that it governs.
struct AttachPoint {
    std::string interface; ///< "*": all that no host endpoint names, but for the loopback
    decision::Hook hook = decision::Hook::Normal;
    decision::Direction direction = decision::Direction::Ingress;
    net::Family family = net::Family::V4;
    std::string program;
    auto operator<=>(const AttachPoint&) const = default;
};

/// What nodes send each other, whatever policy of host endpoints says.
struct Tunnels {
    std::optional<std::uint16_t> vxlan; ///< port
    bool ipip = false;
    std::map<net::Family, std::uint16_t> wireguard; ///< ports
    std::set<net::Address> peers;                   ///< of VXLAN and IPIP
    auto operator<=>(const Tunnels&) const = default;
};

/// Lines of the log in some time.
struct LogRate {
    std::uint32_t packets = 0;
    std::string unit; ///< "second", "minute", ...
    std::uint32_t burst = 5;
    auto operator<=>(const LogRate&) const = default;
};

struct NodeImage {
    using FailsafePort = policy::FelixSettings::FailsafePort;
    std::map<net::Address, std::uint32_t> addresses; ///< of endpoints: identity
    /// The identity of every address that is not among `addresses`.
    std::map<net::Range, std::uint32_t> outside;
    std::vector<DispatchEntry> dispatch;    ///< sorted
    std::vector<SourceRange> other_sources; ///< sorted; ranges of an interface do not overlap
    std::vector<AttachPoint> attached;      ///< sorted
    std::vector<FailsafePort> failsafe_in, failsafe_out; ///< of host endpoints
    Tunnels tunnels;                                     ///< past host endpoints
    std::map<std::uint32_t, EndpointGroup> groups;
    /// By name, which says what a program is: equal names, the same rows and cells by the same
    /// numbers, but for rows that only one of them has.
    std::map<std::string, Shared<ProgramImage>> programs;
    policy::HostAction to_host = policy::HostAction::Drop;
    std::vector<std::string> interface_prefixes{"cali"}; ///< whose interfaces are workloads'
    /// What workloads must not send: VXLAN to this port, IPIP.
    std::optional<std::uint16_t> dropped_vxlan_port = 4789;
    bool drops_ipip = true;
    bool drops_invalid = true;       ///< packets that conntrack calls invalid
    bool rejects = false;            ///< what is denied is answered
    std::optional<LogRate> log_rate; ///< of Log rules; absent: all are logged
    /// Denied packets are reported to this group of nfnetlink_log, with program and slot.
    std::optional<std::uint16_t> report_group;
    unsigned flow_mark_bit = kFlowMarkBit; ///< the lowest of 15 in conntrack marks that are ours

    bool attaches(decision::Hook hook) const;
    bool attaches(decision::Hook hook, decision::Direction direction) const;
    /// That have a host endpoint of their own, sorted.
    std::vector<std::string> host_interfaces() const;
    /// Gives groups numbers by what they are, 1 to 2^28, in `dispatch` as well; those that the
    /// node has now keep theirs, and no number gets another meaning.
    void number_groups(const std::map<std::uint32_t, EndpointGroup>& now = {});
    auto operator<=>(const NodeImage&) const = default;
};

} // namespace polecat::backends
