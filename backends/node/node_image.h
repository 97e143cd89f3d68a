/// What one node must enforce, whichever backend does it: addresses with their identities, which
/// program each endpoint's interface runs, and every program as a table over identities. A backend
/// writes it and recovers it; equal images, equal enforcement.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
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

/// What is decided, by which slot.
struct CellImage {
    bool allow = false;
    std::uint32_t slot = 0;
    std::vector<std::uint32_t> logs;
    bool staged_allow = false; ///< with staged policies enforced
    auto operator<=>(const CellImage&) const = default;
};

/// A program's table with its classes spelt out as identities. Every level has what is usual and
/// lists the rest. Numbers of rows and cells stay when others come or go.
struct ProgramImage {
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

struct NodeImage {
    std::map<net::Address, std::uint32_t> addresses; ///< of endpoints: identity
    /// The identity of every address that is not among `addresses`.
    std::map<net::Range, std::uint32_t> outside;
    std::vector<DispatchEntry> dispatch; ///< sorted
    std::map<std::uint32_t, EndpointGroup> groups;
    /// By name, which says what a program is: equal names, the same rows and cells by the same
    /// numbers, but for rows that only one of them has.
    std::map<std::string, Shared<ProgramImage>> programs;
    policy::HostAction to_host = policy::HostAction::Drop;
    std::vector<std::string> interface_prefixes{"cali"}; ///< whose interfaces are workloads'
    /// What workloads must not send: VXLAN to this port, IPIP.
    std::optional<std::uint16_t> dropped_vxlan_port = 4789;
    bool drops_ipip = true;

    /// Gives groups numbers by what they are, 1 to 2^28, in `dispatch` as well; those that the
    /// node has now keep theirs, and no number gets another meaning.
    void number_groups(const std::map<std::uint32_t, EndpointGroup>& now = {});
    auto operator<=>(const NodeImage&) const = default;
};

} // namespace polecat::backends
