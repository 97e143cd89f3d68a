#include "backends/iptables/filter_sets.h"

#include "backends/iptables/layout.h"
#include "backends/node/numbers.h"
#include "ir/decision/table.h"

namespace polecat::iptables {

using decision::PredicateId;

FilterSets::FilterSets(const decision::LoweredCluster& cluster,
                       const backends::IdentityNumbers& numbers)
    : cluster_(cluster), ranges_(cluster.predicates.size()), members_(cluster.predicates.size()) {
    for (std::uint32_t i = 0; i < cluster.predicates.size(); ++i)
        is_pair_.push_back(decision::is_port_set(cluster.predicates[PredicateId{i}]));
    for (const auto& [range, number] : numbers.outside())
        add(numbers.of(range.first.family).at(number), range);
    for (const auto& [address, number] : numbers.addresses())
        add(numbers.of(address.family).at(number), {address, address});
}

std::vector<iptables::Member> members_of(const net::AddressSet& addresses, net::Family family) {
    std::vector<iptables::Member> out;
    for (const net::Cidr& each : addresses.of_family(family).cidrs())
        if (each.prefix > 0) {
            out.push_back({each, 0, 0, {}});
        } else {
            out.push_back({{each.base, 1}, 0, 0, {}});
            out.push_back({net::block_of(net::last_address(family), 1), 0, 0, {}});
        }
    return out;
}

/// What is not known to hold is no member: a program for which that matters is refused before.
void FilterSets::add(const decision::Identity& identity, const net::Range& range) {
    for (const PredicateId id : identity.yes)
        ranges_[id.value].push_back(range);
    const net::Cidr only =
        net::block_of(range.first, static_cast<std::uint8_t>(net::width(range.first.family)));
    for (const decision::PortMember& member : identity.port_members)
        members_[member.predicate.value].push_back({only, member.protocol, member.port, {}});
}

std::string FilterSets::name(PredicateId id, net::Family family) const {
    return filter_layout::name("polecat", family) +
           backends::digest_of(to_string(cluster_.predicates[id]), 16);
}

iptables::Set FilterSets::set(PredicateId id, net::Family family) const {
    iptables::Set out;
    out.name = name(id, family);
    out.what = filter_layout::plain_text(to_string(cluster_.predicates[id]), 400);
    out.family = family;
    if (is_pair(id)) {
        out.type = iptables::Set::Type::AddressPorts;
        for (const iptables::Member& member : members_[id.value])
            if (member.nets.family() == family)
                out.members.push_back(member);
        return out;
    }
    out.members = members_of(net::AddressSet::of(ranges_[id.value]), family);
    return out;
}

} // namespace polecat::iptables
