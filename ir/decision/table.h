/// decision::Table: a program flattened. Source class x destination class -> row, and in the row
/// source-port class x L4 class -> cell. Each level has a default and lists what differs, so that a
/// table grows with its rules and not with their product; a decision costs the same with ten rules
/// and with ten thousand. Agrees with eval() for every flow whose ports and ICMP type are given and
/// that has no HTTP attributes.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "ir/decision/eval.h"
#include "ir/decision/identity.h"
#include "ir/decision/program.h"
#include "support/result.h"

namespace polecat::decision {

/// What is decided, by which slot.
struct Cell {
    Verdict verdict = Verdict::Deny;
    SlotId slot;
    std::vector<SlotId> logs;
    Verdict staged = Verdict::Deny; ///< the verdict if staged policies were enforced
    auto operator<=>(const Cell&) const = default;
};

/// Numbers 0 to 65535 cut into pieces, in order, each with the id of its class.
struct Piece {
    net::PortRange range;
    std::uint16_t id = 0;
    auto operator<=>(const Piece&) const = default;
};
using Pieces = std::vector<Piece>;
std::uint16_t find(const Pieces& pieces, std::uint16_t value);

/// What a packet shows beside addresses and source port. `value`: the destination port of TCP, UDP
/// and SCTP; type * 256 + code of ICMP; 0 for all others.
struct L4Key {
    net::Protocol protocol = net::kTcp;
    std::uint16_t value = 0;
    auto operator<=>(const L4Key&) const = default;
};

/// All L4 keys cut into classes.
struct L4Classes {
    std::map<net::Protocol, Pieces> by_protocol;
    std::uint16_t other = 0; ///< protocols that are not listed
    std::uint16_t count = 0;

    std::uint16_t of(L4Key key) const;
    auto operator<=>(const L4Classes&) const = default;
};

/// Ends that one side of a program can't tell apart: what of that side's predicates holds.
struct EndClass {
    std::vector<PredicateId> yes, unknown; ///< sorted; all others do not hold
    std::vector<PortMember> members;       ///< of that side's sets with ports; sorted
    auto operator<=>(const EndClass&) const = default;

    Tri holds(PredicateId predicate) const; ///< of a set with ports: Unknown or No
    Tri holds(PredicateId predicate, net::Protocol protocol, std::uint16_t port) const;
};

/// One side of a table. Ends that all packets are treated alike of are of one class.
struct Side {
    std::vector<PredicateId> predicates; ///< that the program asks of this side; sorted
    std::vector<EndClass> ends;          ///< that are not of class 0; sorted
    std::vector<std::uint16_t> classes;  ///< of each of `ends`: 1 and up

    EndClass end_of(const Identity& identity) const;
    /// Of an end that was known to flatten().
    std::uint16_t find(const EndClass& end) const;
    std::uint16_t find(const Identity& identity) const { return find(end_of(identity)); }
    auto operator<=>(const Side&) const = default;
};

/// What is done with packets between two classes of ends.
struct Row {
    struct Exception {
        std::uint16_t source_port = 0, l4 = 0; ///< classes
        std::uint32_t cell = 0;
        auto operator<=>(const Exception&) const = default;
    };
    std::uint32_t cell = 0;            ///< of packets that are no exception
    std::vector<Exception> exceptions; ///< sorted
    auto operator<=>(const Row&) const = default;

    std::uint32_t at(std::uint16_t source_port, std::uint16_t l4) const;
};

struct Table {
    Hook hook = Hook::Normal;
    Direction direction = Direction::Ingress;
    net::Family family = net::Family::V4;
    Side source, destination;
    Pieces source_ports; ///< one piece unless rules read source ports
    std::uint16_t source_port_count = 1;
    L4Classes l4;
    std::vector<Cell> cells; ///< distinct ones, sorted
    std::vector<Row> rows;   ///< distinct ones
    /// Row of a source and a destination class; pairs that are not listed have row 0.
    std::map<std::pair<std::uint16_t, std::uint16_t>, std::uint32_t> pairs;

    const Row& row(std::uint16_t source_class, std::uint16_t destination_class) const;
    const Cell& at(std::uint16_t source_class, std::uint16_t destination_class,
                   std::uint16_t source_port_class, std::uint16_t l4_class) const {
        return cells[row(source_class, destination_class).at(source_port_class, l4_class)];
    }
    auto operator<=>(const Table&) const = default;
};

/// Beyond these flatten() gives up with a reason.
struct FlattenLimits {
    std::size_t pairs = 1u << 22;      ///< of ends that predicates tell apart
    std::size_t classes = 65535;       ///< of ends that differ, and of packets
    std::size_t terms = 1u << 24;      ///< of the program's matches in classes of packets
    std::size_t exceptions = 1u << 21; ///< in all rows
};

/// What identities are as one side of a program sees them.
struct EndKinds {
    std::vector<EndClass> list;       ///< distinct; sorted
    std::vector<std::uint32_t> of;    ///< of each identity, in the order that they were given
    std::vector<std::size_t> weights; ///< how many identities are of a kind

    EndKinds(const Side& side, std::span<const Identity* const> identities);
};

/// `sources` and `destinations`: every identity that the ends of flows can have, each once. What
/// most of them have becomes the default.
Result<Table> flatten(const Program& program, const PredicateStore& predicates,
                      const EndKinds& sources, const EndKinds& destinations,
                      const FlattenLimits& limits = {});
Result<Table> flatten(const Program& program, const PredicateStore& predicates,
                      std::span<const Identity> sources, std::span<const Identity> destinations,
                      const FlattenLimits& limits = {});

/// The key of a flow whose destination port, or ICMP type and code, is given.
std::optional<L4Key> l4_key(const Flow& flow);

/// True when membership depends on protocol and port (NamedPortSet, ServiceSet with ports).
bool is_port_set(const Predicate& predicate);

} // namespace polecat::decision
