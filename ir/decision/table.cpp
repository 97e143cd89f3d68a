// Look-ups in tables.
#include "ir/decision/table.h"

#include <algorithm>

namespace polecat::decision {

std::uint16_t find(const Pieces& pieces, std::uint16_t value) {
    const auto place = std::partition_point(
        pieces.begin(), pieces.end(), [&](const Piece& piece) { return piece.range.last < value; });
    return place == pieces.end() ? std::uint16_t{0} : place->id; // pieces cover every value
}

std::uint16_t L4Classes::of(L4Key key) const {
    const auto found = by_protocol.find(key.protocol);
    return found == by_protocol.end() ? other : decision::find(found->second, key.value);
}

Tri EndClass::holds(PredicateId predicate) const {
    if (std::binary_search(yes.begin(), yes.end(), predicate))
        return Tri::Yes;
    return std::binary_search(unknown.begin(), unknown.end(), predicate) ? Tri::Unknown : Tri::No;
}

Tri EndClass::holds(PredicateId predicate, net::Protocol protocol, std::uint16_t port) const {
    if (std::binary_search(members.begin(), members.end(), PortMember{predicate, protocol, port}))
        return Tri::Yes;
    return holds(predicate);
}

namespace {

/// What two sorted lists have in common, by looking each of the shorter up in the longer: a program
/// asks little, and an identity may hold much.
std::vector<PredicateId> common(const std::vector<PredicateId>& a,
                                const std::vector<PredicateId>& b) {
    const auto& shorter = a.size() < b.size() ? a : b;
    const auto& longer = a.size() < b.size() ? b : a;
    std::vector<PredicateId> out;
    auto from = longer.begin();
    for (const PredicateId id : shorter) {
        from = std::lower_bound(from, longer.end(), id);
        if (from == longer.end())
            break;
        if (*from == id)
            out.push_back(id);
    }
    return out;
}

} // namespace

EndClass Side::end_of(const Identity& identity) const {
    EndClass result{common(identity.yes, predicates), common(identity.unknown, predicates), {}};
    std::copy_if(identity.port_members.begin(), identity.port_members.end(),
                 std::back_inserter(result.members), [&](const PortMember& member) {
                     return std::binary_search(predicates.begin(), predicates.end(),
                                               member.predicate);
                 });
    return result;
}

std::uint16_t Side::find(const EndClass& wanted) const {
    const auto place = std::lower_bound(ends.begin(), ends.end(), wanted);
    if (place == ends.end() || *place != wanted)
        return 0;
    return classes[static_cast<std::size_t>(place - ends.begin())];
}

std::uint32_t Row::at(std::uint16_t source_port, std::uint16_t l4) const {
    const auto place =
        std::lower_bound(exceptions.begin(), exceptions.end(), std::pair(source_port, l4),
                         [](const Exception& each, const auto& wanted) {
                             return std::pair(each.source_port, each.l4) < wanted;
                         });
    const bool found =
        place != exceptions.end() && place->source_port == source_port && place->l4 == l4;
    return found ? place->cell : cell;
}

const Row& Table::row(std::uint16_t source_class, std::uint16_t destination_class) const {
    const auto found = pairs.find({source_class, destination_class});
    return rows[found == pairs.end() ? 0 : found->second];
}

std::optional<L4Key> l4_key(const Flow& flow) {
    if (net::has_ports(flow.protocol)) {
        if (!flow.destination_port)
            return std::nullopt;
        return L4Key{flow.protocol, *flow.destination_port};
    }
    if (flow.protocol == (flow.family == net::Family::V4 ? net::kIcmp : net::kIcmpV6)) {
        if (!flow.icmp_type || !flow.icmp_code)
            return std::nullopt;
        return L4Key{flow.protocol,
                     static_cast<std::uint16_t>(*flow.icmp_type * 256 + *flow.icmp_code)};
    }
    return L4Key{flow.protocol, 0};
}

bool is_port_set(const Predicate& predicate) {
    if (const auto* service = std::get_if<ServiceSet>(&predicate))
        return service->with_ports;
    return std::holds_alternative<NamedPortSet>(predicate);
}

} // namespace polecat::decision
