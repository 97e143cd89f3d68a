#include "analyzer/z3/alike_spots.h"

namespace polecat::smt {

void AlikeSpots::Having::add(std::size_t place, std::uint32_t spot) {
    if (by_place.size() <= place)
        by_place.resize(place + 1);
    by_place[place].push_back(spot);
}

void AlikeSpots::add(const decision::World& world, const std::vector<decision::ObjectId>& objects,
                     std::optional<std::uint32_t> number) {
    const auto spot = static_cast<std::uint32_t>(shapes_.size());
    if (!number) {
        shapes_.push_back(next_++);
        return;
    }
    std::vector<std::pair<bool, bool>> kinds;
    for (std::size_t i = 0; i < objects.size(); ++i) {
        const decision::Object& object = world.object(objects[i]);
        kinds.emplace_back(object.selectable, object.unread.known());
        for (const auto& [label, value] : object.labels) {
            with_[{std::string(label), std::nullopt}].add(i, spot);
            with_[{std::string(label), std::string(value)}].add(i, spot);
        }
        std::map<std::string, Ports> ports;
        for (const policy::EndpointPort& port : object.ports)
            ports[port.name].emplace_back(port.protocol, port.port);
        for (const auto& [name, declared] : ports)
            declaring_[name][declared].add(i, spot);
    }
    const auto [place, added] = known_.try_emplace({*number, std::move(kinds)}, next_);
    next_ += added ? 1 : 0;
    shapes_.push_back(place->second);
}

/// What must be known of a spot to know whether the selector matches there.
void AlikeSpots::add_features(const selector::Selector& selector, std::set<Feature>& out) const {
    const auto& [op, label, values, children] = selector.term();
    using enum selector::Op;
    switch (op) {
    case All:
    case Global:
        break;
    case Has:
        out.emplace(label, std::nullopt);
        break;
    case Equal:
    case NotEqual:
    case In:
    case NotIn:
        for (const std::string& value : values)
            out.emplace(label, value);
        break;
    case Contains:
    case StartsWith:
    case EndsWith: // of parts of values: all that there are
        for (auto each = with_.lower_bound({label, std::nullopt});
             each != with_.end() && each->first.first == label; ++each)
            out.insert(each->first);
        break;
    case Not:
    case And:
    case Or:
        for (const selector::Selector& child : children)
            add_features(child, out);
        break;
    }
}

void AlikeSpots::cut(const Having& having, std::vector<std::uint32_t>& parts, std::uint32_t& next) {
    for (const std::vector<std::uint32_t>& spots : having.by_place) {
        std::map<std::uint32_t, std::uint32_t> cut_off; // by the part that they leave
        for (const std::uint32_t spot : spots) {
            const auto [place, added] = cut_off.try_emplace(parts[spot], next);
            next += added ? 1 : 0;
            parts[spot] = place->second;
        }
    }
}

std::vector<std::uint32_t> AlikeSpots::of(const selector::Selector& selector,
                                          const std::string& port) const {
    std::set<Feature> features;
    add_features(selector, features);
    std::vector<std::uint32_t> parts = shapes_;
    std::uint32_t next = next_;
    for (const Feature& each : features)
        if (const auto found = with_.find(each); found != with_.end())
            cut(found->second, parts, next);
    if (const auto found = declaring_.find(port); found != declaring_.end())
        for (const auto& [ports, having] : found->second)
            cut(having, parts, next);
    constexpr std::uint32_t kNone = UINT32_MAX;
    std::vector<std::uint32_t> first(next, kNone);
    for (std::uint32_t i = 0; i < parts.size(); ++i) {
        if (first[parts[i]] == kNone)
            first[parts[i]] = i;
        parts[i] = first[parts[i]];
    }
    return parts;
}

} // namespace polecat::smt
