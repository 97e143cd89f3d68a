// Identities of a cluster: each predicate says which objects and which addresses it holds of; the
// address space is cut at the borders of the latter.
#include "ir/decision/identity.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "ir/decision/predicate_reach.h"

namespace polecat::decision {

Tri Identity::holds(PredicateId predicate) const {
    if (std::binary_search(yes.begin(), yes.end(), predicate))
        return Tri::Yes;
    return std::binary_search(unknown.begin(), unknown.end(), predicate) ? Tri::Unknown : Tri::No;
}

Tri Identity::holds(PredicateId predicate, net::Protocol protocol, std::uint16_t port) const {
    const PortMember wanted{predicate, protocol, port};
    if (std::binary_search(port_members.begin(), port_members.end(), wanted))
        return Tri::Yes;
    return holds(predicate);
}

namespace {

struct IdentityHash {
    std::size_t operator()(const Identity& identity) const {
        std::size_t hash = identity.family == net::Family::V4 ? 17 : 31;
        const auto mix = [&](std::size_t value) { hash = (hash ^ value) * 0x9E3779B97F4A7C15u; };
        for (const PredicateId id : identity.yes)
            mix(id.value);
        mix(0xFFFFFFFFu);
        for (const PredicateId id : identity.unknown)
            mix(id.value);
        for (const PortMember& member : identity.port_members)
            mix((std::size_t{member.predicate.value} << 24) ^ (std::size_t{member.port} << 8) ^
                member.protocol);
        return hash ^ (hash >> 29);
    }
};

void sort_unique(auto& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
}

} // namespace

struct Identities::State {
    explicit State(const LoweredCluster& lowered) : cluster(lowered), reach(lowered) {
        // Endpoints last, so that one more endpoint changes no other identity's number.
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            cut(family);
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            place_objects(family);
            take_out_endpoints(family);
        }
    }

    /// A stretch of addresses between two borders.
    struct Segment {
        net::Address first;
        IdentityId identity;
    };

    static std::size_t index(net::Family family) { return family == net::Family::V4 ? 0 : 1; }

    IdentityId intern(Identity identity) {
        const IdentityId next{static_cast<std::uint32_t>(list.size())};
        const auto [place, added] = ids.emplace(std::move(identity), next);
        if (added)
            list.push_back(&place->first);
        return place->second;
    }

    /// Walks the borders of all regions and names the stretches between them.
    void cut(net::Family family) {
        struct Border {
            net::Address at;
            PredicateId predicate;
            bool enters = false;
        };
        std::vector<Border> borders;
        for (const auto& [predicate, nets] : reach.regions)
            for (const net::Range& range : nets.ranges()) {
                if (range.first.family != family)
                    continue;
                borders.push_back({range.first, predicate, true});
                if (const auto after = net::next(range.last))
                    borders.push_back({*after, predicate, false});
            }
        std::sort(borders.begin(), borders.end(),
                  [](const Border& a, const Border& b) { return a.at < b.at; });
        Identity current;
        current.family = family;
        current.unknown = reach.in_doubt;
        auto& out = segments[index(family)];
        out.push_back({net::first_address(family), {}});
        for (std::size_t i = 0; i < borders.size();) {
            const net::Address at = borders[i].at;
            if (at != out.back().first) {
                out.back().identity = intern(settled(current));
                out.push_back({at, {}});
            }
            for (; i < borders.size() && borders[i].at == at; ++i)
                step(current.yes, borders[i].predicate, borders[i].enters);
        }
        out.back().identity = intern(settled(current));
        add_service_members(family);
    }

    /// What holds is not in doubt.
    static Identity settled(Identity identity) {
        std::erase_if(identity.unknown, [&](PredicateId id) {
            return std::binary_search(identity.yes.begin(), identity.yes.end(), id);
        });
        return identity;
    }

    static void step(std::vector<PredicateId>& yes, PredicateId predicate, bool enters) {
        const auto place = std::lower_bound(yes.begin(), yes.end(), predicate);
        if (enters)
            yes.insert(place, predicate);
        else
            yes.erase(place);
    }

    /// Members of services that no endpoint holds: an address with ports of its own.
    void add_service_members(net::Family family) {
        for (const auto& [address, members] : reach.address_members) {
            if (address.family != family)
                continue;
            Identity identity = *list[segment_of(address).value];
            identity.port_members = members;
            sort_unique(identity.port_members);
            special.emplace(address, intern(std::move(identity)));
        }
    }

    IdentityId segment_of(const net::Address& address) const {
        const auto& all = segments[index(address.family)];
        const auto place = std::upper_bound(
            all.begin(), all.end(), address,
            [](const net::Address& a, const Segment& segment) { return a < segment.first; });
        return std::prev(place)->identity;
    }

    bool is_unread(ObjectId id) const { return cluster.world.object(id).unread.known(); }

    /// What holds at an address, whoever has it.
    Identity at_address(const net::Address& address, const std::vector<ObjectId>& objects) const {
        const bool unread =
            std::any_of(objects.begin(), objects.end(), [&](ObjectId id) { return is_unread(id); });
        Identity out = unread ? ask_predicates({objects, address}, address.family, true)
                              : *list[segment_of(address).value];
        if (const auto members = reach.address_members.find(address);
            members != reach.address_members.end())
            out.port_members = members->second;
        add_objects(out, objects);
        return out;
    }

    void add_objects(Identity& out, const std::vector<ObjectId>& objects) const {
        for (const ObjectId id : objects) {
            const auto& yes = reach.by_object[id.value];
            out.yes.insert(out.yes.end(), yes.begin(), yes.end());
            const auto ports = reach.ports_by_object.find(id);
            if (ports != reach.ports_by_object.end())
                out.port_members.insert(out.port_members.end(), ports->second.begin(),
                                        ports->second.end());
        }
        sort_unique(out.yes);
        sort_unique(out.port_members);
        out = settled(std::move(out));
    }

    void place_objects(net::Family family) {
        const World& world = cluster.world;
        auto& out = of_object[index(family)];
        out.resize(world.objects.size());
        Identity nowhere;
        nowhere.family = family;
        nowhere.unknown = reach.in_doubt;
        reach.add_unplaced(nowhere);
        for (const Endpoint& endpoint : cluster.endpoints) {
            const Object& object = world.object(endpoint.object);
            std::vector<net::Address> held;
            for (const net::Address& address : object.addresses)
                if (address.family == family)
                    held.push_back(address);
            const bool host = object.kind == Object::Kind::HostEndpoint || !object.selectable;
            if (held.size() == 1 && (object.addresses_known || host)) {
                std::vector<ObjectId> objects = end_of(world, held.front()).objects;
                if (objects.empty())
                    objects = {endpoint.object};
                out[endpoint.object.value] = intern(at_address(held.front(), objects));
            } else if (!host && held.empty() && !object.addresses_known) {
                Identity identity =
                    is_unread(endpoint.object)
                        ? ask_predicates({{endpoint.object}, std::nullopt}, family, true)
                        : nowhere;
                add_objects(identity, {endpoint.object});
                out[endpoint.object.value] = intern(std::move(identity));
            } else if (!held.empty() || host || !object.addresses_known) {
                out[endpoint.object.value] = intern(ask_each(endpoint.object, family));
            }
        }
    }

    /// A set with ports at some port of an end.
    Tri at_some_port(const Predicate& predicate, const End& end, net::Family family) const {
        Tri out = Tri::No;
        for (const net::Protocol protocol : {net::kTcp, net::kUdp, net::kSctp})
            out = either(out, decision::holds(predicate, cluster.world, end, family, protocol,
                                              std::nullopt));
        return out;
    }

    /// The slow way, for ends at several addresses or at none that is known. The latter are hosts,
    /// and alike.
    Identity ask_each(ObjectId object, net::Family family) {
        const auto& addresses = cluster.world.object(object).addresses;
        const bool somewhere =
            std::none_of(addresses.begin(), addresses.end(),
                         [&](const net::Address& address) { return address.family == family; });
        auto& known = host_somewhere[index(family)];
        const End end{{object}, std::nullopt};
        if (somewhere && !known) // at a host's address that no manifest names
            known = ask_predicates(end, family, true, End{});
        Identity out = somewhere ? *known : ask_predicates(end, family, is_unread(object));
        if (somewhere) // what has no address is in no set of addresses and ports
            return out;
        const auto found = reach.ports_by_object.find(object);
        if (found != reach.ports_by_object.end())
            out.port_members = found->second;
        sort_unique(out.port_members);
        return out;
    }

    /// `ports_in_doubt`: whether the end is in sets with ports is not known but by asking; of
    /// other ends, the members that are known come from the object.
    Identity ask_predicates(const End& end, net::Family family, bool ports_in_doubt,
                            const std::optional<End>& at_ports = std::nullopt) const {
        Identity out;
        out.family = family;
        for (std::uint32_t i = 0; i < cluster.predicates.size(); ++i) {
            const PredicateId id{i};
            const Predicate& predicate = cluster.predicates[id];
            const Tri answer =
                reach.is_port_set[i]
                    ? (ports_in_doubt ? at_some_port(predicate, at_ports.value_or(end), family)
                                      : Tri::No)
                    : decision::holds(predicate, cluster.world, end, family, 0, std::nullopt);
            if (answer == Tri::Yes)
                out.yes.push_back(id);
            else if (answer == Tri::Unknown)
                out.unknown.push_back(id);
        }
        return out;
    }

    void take_out_endpoints(net::Family family) {
        std::unordered_map<std::uint32_t, std::vector<net::Range>> by_identity;
        const auto& all = segments[index(family)];
        const auto& held_by = cluster.world.by_address;
        auto held = std::lower_bound(held_by.begin(), held_by.end(),
                                     std::pair(net::first_address(family), ObjectId{0}));
        const auto held_end = held_by.end();
        auto member = special.lower_bound(net::first_address(family));
        for (std::size_t i = 0; i < all.size(); ++i) {
            net::Address first = all[i].first;
            const net::Address last =
                i + 1 < all.size() ? *net::previous(all[i + 1].first) : net::last_address(family);
            bool whole = true; // something of the segment is left
            auto& ranges = by_identity[all[i].identity.value];
            const auto take = [&](const net::Address& address) {
                if (!whole || address < first)
                    return;
                if (first < address)
                    ranges.push_back({first, *net::previous(address)});
                whole = address != last;
                if (whole)
                    first = *net::next(address);
            };
            for (;;) {
                const bool has_held = held != held_end && held->first <= last;
                const bool has_member = member != special.end() && member->first <= last;
                if (!has_held && !has_member)
                    break;
                if (has_held && (!has_member || held->first <= member->first)) {
                    if (has_member && held->first == member->first)
                        ++member;
                    take(held->first);
                    ++held;
                } else {
                    take(member->first);
                    by_identity[member->second.value].push_back({member->first, member->first});
                    ++member;
                }
            }
            if (whole)
                by_identity[all[i].identity.value].push_back({first, last});
        }
        collect(by_identity, outside[index(family)]);
    }

    static void collect(std::unordered_map<std::uint32_t, std::vector<net::Range>>& by_identity,
                        std::vector<std::pair<net::AddressSet, IdentityId>>& out) {
        for (auto& [id, ranges] : by_identity)
            if (!ranges.empty())
                out.emplace_back(net::AddressSet::of(ranges), IdentityId{id});
        std::sort(out.begin(), out.end(),
                  [](const auto& a, const auto& b) { return a.second < b.second; });
    }

    const LoweredCluster& cluster;
    PredicateReach reach;
    std::unordered_map<Identity, IdentityId, IdentityHash> ids;
    std::vector<const Identity*> list; ///< nodes of `ids` stay where they are
    std::array<std::vector<Segment>, 2> segments;
    std::map<net::Address, IdentityId> special; ///< outside addresses with ports of a service
    std::array<std::vector<std::optional<IdentityId>>, 2> of_object;
    std::array<std::optional<Identity>, 2> host_somewhere; ///< a host at no known address
    std::array<std::vector<std::pair<net::AddressSet, IdentityId>>, 2> outside;
};

Identities::Identities(const LoweredCluster& cluster) : state_(std::make_unique<State>(cluster)) {}
Identities::~Identities() = default;

const Identity& Identities::operator[](IdentityId id) const {
    return *state_->list[id.value];
}

std::size_t Identities::size() const {
    return state_->list.size();
}

std::optional<IdentityId> Identities::of_object(ObjectId object, net::Family family) const {
    return state_->of_object[State::index(family)][object.value];
}

IdentityId Identities::of_address(const net::Address& address) const {
    const auto& objects = end_of(state_->cluster.world, address).objects;
    if (!objects.empty())
        return state_->intern(state_->at_address(address, objects));
    const auto member = state_->special.find(address);
    return member != state_->special.end() ? member->second : state_->segment_of(address);
}

const std::vector<std::pair<net::AddressSet, IdentityId>>&
Identities::outside(net::Family family) const {
    return state_->outside[State::index(family)];
}

std::vector<std::pair<net::Range, IdentityId>> Identities::ranges(net::Family family) const {
    std::vector<std::pair<net::Range, IdentityId>> out;
    const auto& all = state_->segments[State::index(family)];
    for (std::size_t i = 0; i < all.size(); ++i)
        out.push_back({{all[i].first, i + 1 < all.size() ? *net::previous(all[i + 1].first)
                                                         : net::last_address(family)},
                       all[i].identity});
    return out;
}

std::vector<std::pair<net::Address, IdentityId>>
Identities::member_addresses(net::Family family) const {
    std::vector<std::pair<net::Address, IdentityId>> out;
    for (const auto& [address, identity] : state_->special)
        if (address.family == family && !state_->cluster.world.is_held(address))
            out.emplace_back(address, identity);
    return out;
}

std::vector<std::pair<net::Address, IdentityId>>
Identities::endpoint_addresses(net::Family family) const {
    std::vector<std::pair<net::Address, IdentityId>> out;
    for (const auto& [address, object] : state_->cluster.world.by_address)
        if (address.family == family && (out.empty() || out.back().first != address))
            out.emplace_back(address, of_address(address));
    return out;
}

} // namespace polecat::decision
