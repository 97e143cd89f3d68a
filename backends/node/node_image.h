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
        std::uint32_t usual = 0; ///< of identities that are not listed
        std::map<std::uint32_t, std::uint32_t> rows;
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

    /// Gives groups numbers by what they are, 1 to 2^28, in `dispatch` as well.
    void number_groups();
    auto operator<=>(const NodeImage&) const = default;
};

} // namespace polecat::backends
