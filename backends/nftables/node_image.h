/// What a node's nftables ruleset must say, backend-neutral enough to compare: addresses with their
/// identities, which program each endpoint's interface runs, and every program as a table over
/// identities. emit() writes it, read_back() recovers it; equal images, equal enforcement.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/decision/identity.h"
#include "ir/decision/lowered.h"
#include "ir/decision/table.h"
#include "support/diag/diagnostic.h"

namespace polecat::backends {

/// A program's table with its classes spelt out as identities, and numbered by them.
struct ProgramImage {
    decision::Direction direction = decision::Direction::Ingress;
    net::Family family = net::Family::V4;
    /// Identity -> class, of the endpoint's own side and of the other side.
    std::map<std::uint32_t, std::uint16_t> own, other;
    decision::Pieces source_ports;
    decision::L4Classes l4;
    struct Cell {
        bool allow = false;
        std::uint32_t slot = 0;
        std::vector<std::uint32_t> logs;
        bool staged_allow = false; ///< with staged policies enforced
        auto operator<=>(const Cell&) const = default;
    };
    std::vector<Cell> cells;
    /// Cell by [own class][other class][source-port class][L4 class], flat in that order.
    std::vector<std::uint32_t> rows;
    auto operator<=>(const ProgramImage&) const = default;
};

/// One address of a local endpoint.
struct DispatchEntry {
    std::string interface;
    net::Address address;
    std::uint32_t egress = 0, ingress = 0; ///< program numbers
    auto operator<=>(const DispatchEntry&) const = default;
};

struct NodeImage {
    std::map<net::Address, std::uint32_t> addresses; ///< of endpoints: identity
    /// The identity of every address that is not among `addresses`.
    std::map<net::Range, std::uint32_t> outside;
    std::vector<DispatchEntry> dispatch; ///< sorted
    std::map<std::uint32_t, ProgramImage> programs;
    policy::HostAction to_host = policy::HostAction::Drop;
    std::vector<std::string> interface_prefixes{"cali"}; ///< whose interfaces are workloads'
    /// What workloads must not send: VXLAN to this port, IPIP.
    std::optional<std::uint16_t> dropped_vxlan_port = 4789;
    bool drops_ipip = true;
    auto operator<=>(const NodeImage&) const = default;
};

/// The image of one node. Reports what can't be expressed; nullopt then, never a wider image.
std::optional<NodeImage> build_node_image(const decision::LoweredCluster& cluster,
                                          const decision::Identities& identities,
                                          const std::string& node, diag::Diagnostics& diagnostics);

} // namespace polecat::backends
