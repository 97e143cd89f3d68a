/// Identities: what the ends of flows are, as far as any predicate of the cluster can tell apart.
/// Two ends of the same identity get the same verdict from every program. The basis of classes,
/// tables, map and the exact algebra.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "ir/decision/eval.h"
#include "ir/decision/lowered.h"

namespace polecat::decision {

using IdentityId = Id<struct IdentityTag>;

/// Membership in a NamedPortSet or a ServiceSet with ports: the end is in the set at this protocol
/// and port only.
struct PortMember {
    PredicateId predicate;
    net::Protocol protocol = 0;
    std::uint16_t port = 0;
    auto operator<=>(const PortMember&) const = default;
};

/// Truth of every predicate at one end. Sorted lists of predicates that hold; all others do not.
struct Identity {
    net::Family family = net::Family::V4;
    std::vector<PredicateId> yes;
    std::vector<PredicateId> unknown;
    std::vector<PortMember> port_members; ///< sorted
    auto operator<=>(const Identity&) const = default;

    Tri holds(PredicateId predicate) const; ///< of a set with ports: Unknown or No
    /// Of a set with ports.
    Tri holds(PredicateId predicate, net::Protocol protocol, std::uint16_t port) const;
};

/// The identities of a lowered cluster, each distinct one once.
class Identities {
  public:
    explicit Identities(const LoweredCluster& cluster);
    ~Identities();

    const Identity& operator[](IdentityId id) const;
    std::size_t size() const;

    /// Of a workload or host endpoint that has (or may have) an address of the family.
    /// nullopt: it has no address of the family.
    std::optional<IdentityId> of_object(ObjectId object, net::Family family) const;
    /// Of an address, whatever holds it.
    IdentityId of_address(const net::Address& address) const;
    /// The whole address space of a family, cut by identity, endpoints' addresses taken out:
    /// outside hosts. In order of identity.
    const std::vector<std::pair<net::AddressSet, IdentityId>>& outside(net::Family family) const;
    /// The same cut into ranges in address order, endpoints' addresses not taken out: what an
    /// address is that no endpoint and no member of a service with ports has.
    std::vector<std::pair<net::Range, IdentityId>> ranges(net::Family family) const;
    /// Addresses of members of services with ports that no endpoint has.
    std::vector<std::pair<net::Address, IdentityId>> member_addresses(net::Family family) const;
    /// Endpoints' addresses and their identities, in address order.
    std::vector<std::pair<net::Address, IdentityId>> endpoint_addresses(net::Family family) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace polecat::decision
