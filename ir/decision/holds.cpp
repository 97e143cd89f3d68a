// Predicates asked of one end of a flow.
#include <algorithm>

#include "ir/decision/eval.h"

namespace polecat::decision {

Tri operator!(Tri value) {
    if (value == Tri::Unknown)
        return Tri::Unknown;
    return value == Tri::Yes ? Tri::No : Tri::Yes;
}

Tri both(Tri a, Tri b) {
    if (a == Tri::No || b == Tri::No)
        return Tri::No;
    return a == Tri::Yes && b == Tri::Yes ? Tri::Yes : Tri::Unknown;
}

Tri either(Tri a, Tri b) {
    return !both(!a, !b);
}

bool is_in_doubt(const ObjectSet& set, const Object& network_set) {
    return network_set.unread.known() &&
           (network_set.labels_unread || set.selector.matches(network_set.labels));
}

bool is_in_doubt(const ServiceSet& set, const World& world) {
    const auto& unread = world.unread_services;
    return !unread.empty() && (unread.contains(set.key) || unread.contains("") ||
                               unread.contains(set.key.substr(0, set.key.find('/') + 1)));
}

namespace {

/// What a predicate is asked about, once the end is one address or one object without address.
struct Question {
    const World& world;
    net::Family family;
    net::Protocol protocol;
    std::optional<std::uint16_t> port;
    std::optional<net::Address> address;
    std::vector<ObjectId> objects; ///< at that address, or the objects themselves
    bool of_host = false; ///< no address: it is one of a host, and no manifest gives it to that
};

bool outside_blocks(const Question& q) {
    return q.world.unknown_address == UnknownAddress::OutsideBlocks;
}

/// Is an address that is not known inside? docs/semantics.md#known-and-unknown.
Tri covers_unknown(const Question& q, const net::AddressSet& nets) {
    const net::AddressSet of_family = nets.of_family(q.family);
    if (of_family.empty())
        return Tri::No;
    if (of_family == net::AddressSet::all(q.family))
        return Tri::Yes;
    const net::AddressSet pools =
        q.objects.empty() ? net::AddressSet{} : q.world.pools.of_family(q.family);
    if (!pools.empty() && of_family.contains(pools))
        return Tri::Yes;
    if (!pools.empty() && !of_family.intersects(pools))
        return Tri::No;
    return outside_blocks(q) ? Tri::No : Tri::Unknown;
}

Tri in_nets(const Question& q, const net::AddressSet& nets) {
    return q.address ? known(nets.contains(*q.address)) : covers_unknown(q, nets);
}

/// An address that manifests leave out is a host's, not a pod's. It may be that of another
/// interface, whose host endpoint has it.
template <class Wanted> bool may_be_at_host(const Question& q, Wanted wanted) {
    const auto& hosts = q.world.host_endpoints;
    return std::any_of(hosts.begin(), hosts.end(), [&](ObjectId id) {
        const Object& host = q.world.object(id);
        return std::any_of(host.addresses.begin(), host.addresses.end(),
                           [&](const auto& address) { return address.family == q.family; }) &&
               wanted(host);
    });
}

bool may_be_in(const ObjectSet& set, const Question& q) {
    return !q.of_host ||
           may_be_at_host(q, [&](const Object& host) { return set.selector.matches(host.labels); });
}

/// Calico knows no address of who has none in its manifest, and so has none in these sets.
bool may_be_in(const NamedPortSet& set, const Question& q) {
    return may_be_at_host(q, [&](const Object& host) {
        const auto& ports = host.ports;
        return host.unread.known() ||
               (set.selector.matches(host.labels) &&
                std::any_of(ports.begin(), ports.end(),
                            [&](const auto& declared) { return declared.name == set.name; }));
    });
}

/// What an object says of itself could not be read.
bool is_unread(const Question& q) {
    return std::any_of(q.objects.begin(), q.objects.end(), [&](ObjectId id) {
        return q.world.object(id).selectable && q.world.object(id).unread.known();
    });
}

/// `no`, unless something that could not be read may make it a yes.
Tri unless_unread(Tri no, bool unread) {
    return no == Tri::No && unread ? Tri::Unknown : no;
}

Tri ask(const ObjectSet& set, const Question& q) {
    bool unread = is_unread(q);
    for (const ObjectId id : q.objects) {
        const Object& object = q.world.object(id);
        if (object.selectable && !object.unread.known() && set.selector.matches(object.labels))
            return Tri::Yes;
    }
    if (!q.address && q.objects.empty() && !outside_blocks(q) && may_be_in(set, q))
        return Tri::Unknown;
    net::AddressSet nets; // of the matching network sets; their union matters without an address
    for (const ObjectId id : q.world.network_sets) {
        const Object& object = q.world.object(id);
        if (object.unread.known()) { // it may hold the address
            unread = unread || is_in_doubt(set, object);
            continue;
        }
        if (q.address && !object.nets.contains(*q.address))
            continue;
        if (!set.selector.matches(object.labels))
            continue;
        if (q.address)
            return Tri::Yes;
        nets = nets | object.nets;
    }
    return unless_unread(q.address ? Tri::No : covers_unknown(q, nets), unread);
}

Tri ask(const NetSet& set, const Question& q) {
    return in_nets(q, set.nets);
}

/// Whether a member's protocol and port are those of the packet.
template <class Member> Tri same_port(const Member& member, const Question& q) {
    if (!member.port || member.protocol != q.protocol)
        return Tri::No;
    return q.port ? known(*member.port == *q.port) : Tri::Unknown;
}

Tri ask(const ServiceSet& set, const Question& q) {
    const bool unread = is_unread(q) || is_in_doubt(set, q.world);
    Tri result = unread && (!set.with_ports || net::has_ports(q.protocol)) ? Tri::Unknown : Tri::No;
    const auto by_object = q.world.service_objects.find(set.key);
    if (by_object != q.world.service_objects.end())
        for (const ServiceObject& member : by_object->second)
            if (std::find(q.objects.begin(), q.objects.end(), member.object) != q.objects.end())
                result = either(result, set.with_ports ? same_port(member, q) : Tri::Yes);
    const auto by_address = q.world.services.find(set.key);
    if (by_address == q.world.services.end())
        return result;
    for (const ServiceMember& member : by_address->second) {
        if (q.address ? member.address != *q.address : member.address.family != q.family)
            continue;
        const net::Cidr only{member.address,
                             static_cast<std::uint8_t>(net::width(member.address.family))};
        const Tri here = in_nets(q, net::AddressSet::of(only));
        result = either(result, set.with_ports ? both(here, same_port(member, q)) : here);
    }
    return result;
}

Tri ask(const NamedPortSet& set, const Question& q) {
    if (!q.address && q.objects.empty())
        return net::has_ports(q.protocol) && !outside_blocks(q) && may_be_in(set, q) ? Tri::Unknown
                                                                                     : Tri::No;
    Tri result = is_unread(q) && net::has_ports(q.protocol) ? Tri::Unknown : Tri::No;
    for (const ObjectId id : q.objects) {
        const Object& object = q.world.object(id);
        if (!object.selectable || object.unread.known() || !set.selector.matches(object.labels))
            continue;
        for (const policy::EndpointPort& declared : object.ports) {
            if (declared.name != set.name || declared.protocol != q.protocol ||
                (set.protocol != 0 && set.protocol != declared.protocol))
                continue;
            result = either(result, q.port ? known(declared.port == *q.port) : Tri::Unknown);
        }
    }
    return result;
}

Tri ask(const DomainSet&, const Question&) {
    return Tri::Unknown;
}

Tri ask(const UnreadSet&, const Question&) {
    return Tri::Unknown;
}

/// The endpoints at an address: those the world knows there, and those of the end that hold it.
std::vector<ObjectId> objects_at(const World& world, const End& end, const net::Address& address) {
    std::vector<ObjectId> found = end_of(world, address).objects;
    for (const ObjectId id : end.objects) {
        const Object& object = world.object(id);
        const bool holds_it =
            !object.addresses_known || std::find(object.addresses.begin(), object.addresses.end(),
                                                 address) != object.addresses.end();
        if (holds_it && std::find(found.begin(), found.end(), id) == found.end())
            found.push_back(id);
    }
    return found;
}

} // namespace

Tri holds(const Predicate& predicate, const World& world, const End& end, net::Family family,
          net::Protocol protocol, std::optional<std::uint16_t> port) {
    const auto answer = [&](std::optional<net::Address> address, std::vector<ObjectId> objects) {
        const bool of_host = !address && objects.empty() && !end.objects.empty();
        const Question q{world, family, protocol, port, address, std::move(objects), of_host};
        return std::visit([&](const auto& set) { return ask(set, q); }, predicate);
    };
    if (end.address) {
        // Nets ask for the address, whatever is there, and are asked for often.
        if (const auto* set = std::get_if<NetSet>(&predicate))
            return known(set->nets.contains(*end.address));
        return answer(end.address, objects_at(world, end, *end.address));
    }
    // No address: ask each address of the objects that have one, and the objects that do not.
    std::optional<Tri> result;
    const auto add = [&](Tri here) { result = result && *result != here ? Tri::Unknown : here; };
    std::vector<ObjectId> without;
    bool somewhere = end.objects.empty(); // at an address that nothing is known of
    for (const ObjectId id : end.objects) {
        const Object& object = world.object(id);
        bool has_family = false;
        for (const net::Address& address : object.addresses) {
            if (address.family != family)
                continue;
            has_family = true;
            add(answer(address, objects_at(world, end, address)));
        }
        // A host has addresses that no manifest names; pods have only their own.
        const bool is_host = object.kind == Object::Kind::HostEndpoint || !object.selectable;
        if (is_host)
            somewhere = somewhere || !has_family;
        else if (!object.addresses_known)
            without.push_back(id);
    }
    if (!without.empty())
        add(answer(std::nullopt, without));
    if (somewhere)
        add(answer(std::nullopt, {}));
    return result.value_or(Tri::No); // at no address of this family
}

} // namespace polecat::decision
