#include "driver/verify/both_ends.h"

#include <set>

namespace polecat::driver {

using backends::NodeImage;
using net::Address;
using net::Range;

KnownIdentity identity_of(const NodeImage& image, const Address& address) {
    if (const auto exact = image.addresses.find(address); exact != image.addresses.end())
        return exact->second;
    auto place = image.outside.upper_bound(Range{address, net::last_address(address.family)});
    if (place == image.outside.begin())
        return std::nullopt;
    --place;
    const Range& range = place->first;
    const bool holds = range.first.family == address.family && address <= range.last;
    return holds ? KnownIdentity(place->second) : std::nullopt;
}

std::map<BothIdentities, Address> both_identities(const NodeImage& rules, const NodeImage& policy,
                                                  const Range& range) {
    std::set<Address> cuts{range.first}; // between two of them nothing changes
    std::map<BothIdentities, Address> out;
    const auto inside = [&](const Address& address) {
        return range.first <= address && address <= range.last;
    };
    const auto meet = [&](const Address& address) {
        out.try_emplace({identity_of(rules, address), identity_of(policy, address)}, address);
    };
    const auto cut_behind = [&](const Address& address) {
        if (const auto after = net::next(address); after && inside(*after))
            cuts.insert(*after);
    };
    for (const NodeImage* image : {&rules, &policy}) {
        for (const auto& [address, identity] : image->addresses)
            if (inside(address)) {
                meet(address);
                cut_behind(address);
            }
        for (const auto& [each, identity] : image->outside) {
            if (inside(each.first))
                cuts.insert(each.first);
            cut_behind(each.last);
        }
    }
    for (const Address& each : cuts)
        meet(each);
    return out;
}

} // namespace polecat::driver
