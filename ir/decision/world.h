/// World: what is known about the ends of flows once a cluster is lowered: endpoints and network
/// sets with effective labels, addresses, named ports, members of services. Predicates are asked
/// of it. Label sources: Calico felix/labelindex and libcalico-go/lib/backend/k8s/conversion.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "ir/net/address.h"
#include "ir/net/protocol.h"
#include "ir/policy/objects.h"
#include "ir/selector/selector.h"
#include "support/id.h"
#include "support/source.h"

namespace polecat::decision {

using ObjectId = Id<struct ObjectTag>;

/// Something with labels that addresses belong to.
struct Object {
    enum class Kind : std::uint8_t { Workload, HostEndpoint, NetworkSet };
    Kind kind = Kind::Workload;
    std::string name; ///< "shop/cart", host endpoint or set name
    std::string manifest_kind;
    selector::Labels labels; ///< effective: own, added by conversion, inherited from profiles
    std::vector<net::Address> addresses; ///< endpoints
    bool addresses_known = true;         ///< false: a pod before scheduling
    /// False: no selector matches it, since Calico knows no such endpoint (host-networked pods).
    bool selectable = true;
    /// Known: here is what could not be read of it, or of what it inherits. No predicate over
    /// labels, ports or services is then known of it.
    Span unread;
    std::string unread_part;    ///< what is not known of it, where it was read
    bool labels_unread = false; ///< of a network set that is unread: any selector may match it
    net::AddressSet nets;       ///< network sets
    std::vector<policy::EndpointPort> ports;
    Span span;
};

/// One endpoint address, protocol and port of a service (EndpointSlice member).
struct ServiceMember {
    net::Address address;
    net::Protocol protocol = net::kTcp;
    std::optional<std::uint16_t> port;
    auto operator<=>(const ServiceMember&) const = default;
};

/// The same of a pod whose address is not known: the object itself is the member.
struct ServiceObject {
    ObjectId object;
    net::Protocol protocol = net::kTcp;
    std::optional<std::uint16_t> port;
    auto operator<=>(const ServiceObject&) const = default;
};

/// Where a pod with an unknown address may lie.
enum class UnknownAddress : std::uint8_t {
    Depends,       ///< compare with the pools; unknown where they do not decide
    OutsideBlocks, ///< inside no CIDR (assume.unknownPodAddress: outside-blocks)
};

struct World {
    std::vector<Object> objects;
    /// Objects (endpoints only) by address, sorted; network sets are asked by their nets.
    std::vector<std::pair<net::Address, ObjectId>> by_address;
    std::vector<ObjectId> network_sets;
    std::vector<ObjectId> host_endpoints;                              ///< those with addresses
    std::map<std::string, std::vector<ServiceMember>> services;        ///< by "namespace/name"
    std::map<std::string, std::vector<ServiceObject>> service_objects; ///< likewise
    std::set<std::string> unread_services; ///< members are not all known; "": of any service
    /// Pools that pods' addresses come from; empty: not known.
    net::AddressSet pools;
    UnknownAddress unknown_address = UnknownAddress::Depends;

    const Object& object(ObjectId id) const { return objects[id.value]; }
    bool is_held(const net::Address& address) const; ///< by an endpoint
    void index_addresses();                          ///< fills by_address and host_endpoints
};

} // namespace polecat::decision
