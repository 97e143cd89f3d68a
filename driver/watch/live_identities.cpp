#include "driver/watch/live_identities.h"

#include <algorithm>

#include "driver/watch/identity_change.h"
#include "ir/decision/program.h"

namespace polecat::driver {

namespace {

constexpr net::Family kFamilies[] = {net::Family::V4, net::Family::V6};

} // namespace

std::size_t LiveIdentities::Hash::operator()(const Content& content) const {
    std::size_t out = static_cast<std::size_t>(content.family);
    const auto mix = [&](std::size_t value) {
        out = (out ^ value) * 0x9E3779B97F4A7C15u;
        out ^= out >> 29;
    };
    for (const std::uint32_t each : content.yes)
        mix(each);
    mix(~std::size_t{0});
    for (const std::uint32_t each : content.unknown)
        mix(each);
    for (const Content::Member& each : content.members)
        mix(std::size_t{each.predicate} << 24 ^ std::size_t{each.port} << 8 ^ each.protocol);
    return out;
}

LiveIdentities::LiveIdentities(bundle::Contents& contents, const LiveEndpoints& endpoints,
                               std::vector<NetworkSet> sets)
    : contents_(contents), endpoints_(endpoints), sets_(std::move(sets)) {
    std::map<std::uint32_t, Identity> found;
    for (const auto& [address, number] : contents.addresses)
        found[number].places.insert({address, false});
    for (const auto& [first, number] : contents.ranges.ranges)
        found[number].places.insert({first, true});
    for (const auto& [predicate, record] : contents.predicates) {
        const std::uint32_t id = predicate;
        record.yes.each([&](std::uint32_t each) { found.at(each).content.yes.push_back(id); });
        record.unknown.each(
            [&](std::uint32_t each) { found.at(each).content.unknown.push_back(id); });
        for (const auto& [port, set] : record.members)
            set.each([&, at = port](std::uint32_t each) {
                found.at(each).content.members.push_back({id, at.protocol, at.port});
            });
        for (const net::Range& range : region_of(record.predicate)) {
            ++borders_[range.first];
            if (const auto after = net::next(range.last))
                ++borders_[*after];
        }
    }
    for (const net::Family family : kFamilies)
        ++borders_[net::first_address(family)];
    for (auto& [number, identity] : found) {
        identity.content.family = identity.places.begin()->first.family;
        identity.space = space_of(identity.places);
        add(number, std::move(identity));
    }
}

std::vector<net::Range> LiveIdentities::region_of(const decision::Predicate& predicate) const {
    if (const auto* set = std::get_if<decision::NetSet>(&predicate))
        return set->nets.ranges();
    net::AddressSet out;
    if (const auto* set = std::get_if<decision::ObjectSet>(&predicate))
        for (const NetworkSet& each : sets_)
            if (set->selector.matches(each.labels))
                out = out | each.nets;
    return out.ranges();
}

std::optional<std::uint32_t> LiveIdentities::number_at(const Place& place) const {
    const auto& in = place.second ? contents_.ranges.ranges : contents_.addresses;
    const auto found = in.find(place.first);
    return found == in.end() ? std::nullopt : std::optional(found->second);
}

std::uint32_t LiveIdentities::number_around(const net::Address& address) const {
    return std::prev(contents_.ranges.ranges.upper_bound(address))->second;
}

std::string LiveIdentities::space_of(const std::set<Place>& places) const {
    std::string out;
    for (const auto& [address, is_range] : places) {
        if (is_range)
            continue;
        const auto holder = endpoints_.at(address);
        if (!holder || endpoints_[*holder].packed.is_host())
            continue;
        std::string space = endpoints_[*holder].packed.space();
        if (out.empty() || space < out)
            out = std::move(space);
    }
    return out;
}

const std::string& LiveIdentities::digest_of(std::uint32_t predicate) {
    std::string& out = digests_[predicate];
    if (out.empty())
        out = backends::digest_of(decision::to_string(contents_.predicates.at(predicate).predicate),
                                  24);
    return out;
}

void LiveIdentities::add(std::uint32_t number, Identity identity) {
    by_content_.emplace(identity.content, number);
    ++spaces_[identity.space];
    identities_.emplace(number, std::move(identity));
}

LiveIdentities::Identity LiveIdentities::take(std::uint32_t number) {
    const auto found = identities_.find(number);
    Identity out = std::move(found->second);
    identities_.erase(found);
    by_content_.erase(out.content);
    if (const auto space = spaces_.find(out.space); --space->second == 0)
        spaces_.erase(space);
    return out;
}

std::vector<LiveIdentities::Moved> LiveIdentities::apply(const Step& step,
                                                         bundle::Touched& touched) {
    return Change(*this, step, touched).run();
}

} // namespace polecat::driver
