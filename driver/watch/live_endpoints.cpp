#include "driver/watch/live_endpoints.h"

#include <algorithm>

namespace polecat::driver {

/// act(set) for each that the endpoint stands in.
template <class Act> void LiveEndpoints::each_place(Number number, const Act& act) {
    const bundle::PackedEndpoint& packed = list_[number].packed;
    if (packed.is_placed())
        act(by_node_, packed.node);
    act(by_space_, packed.space());
    for (const net::Address& address : packed.record.addresses)
        act(by_address_, address);
}

LiveEndpoints::Number LiveEndpoints::add(LiveEndpoint endpoint) {
    const Number number = labels_.add(endpoint.packed.labels);
    by_key_[endpoint.key] = number;
    list_.push_back(std::move(endpoint));
    each_place(number, [&](auto& in, const auto& name) { in[name].insert(number); });
    return number;
}

void LiveEndpoints::remove(Number number) {
    each_place(number, [&](auto& in, const auto& name) {
        const auto place = in.find(name);
        if (place == in.end()) // an address that stands twice
            return;
        place->second.erase(number);
        if (place->second.empty())
            in.erase(place);
    });
    by_key_.erase(list_[number].key);
    list_[number] = {};
    list_[number].here = false;
}

std::optional<LiveEndpoints::Number> LiveEndpoints::find(const std::string& key) const {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<LiveEndpoints::Number>
LiveEndpoints::with_labels(const selector::Selector& selector) const {
    std::vector<Number> out = labels_.select(selector);
    std::erase_if(out, [&](Number number) { return !list_[number].here; });
    return out;
}

std::optional<LiveEndpoints::Number> LiveEndpoints::at(const net::Address& address) const {
    const auto found = by_address_.find(address);
    if (found == by_address_.end())
        return std::nullopt;
    return *found->second.begin();
}

std::set<LiveEndpoints::Number> LiveEndpoints::holders(const net::Address& address) const {
    const auto found = by_address_.find(address);
    return found == by_address_.end() ? Numbers() : found->second;
}

bool LiveEndpoints::is_shared(const std::set<Number>& holders) const {
    return holders.size() > 1 && std::any_of(holders.begin(), holders.end(), [&](Number number) {
               return list_[number].selectable;
           });
}

bool LiveEndpoints::any_share_addresses() const {
    return std::any_of(by_address_.begin(), by_address_.end(),
                       [&](const auto& each) { return is_shared(each.second); });
}

std::vector<const bundle::PackedEndpoint*>
LiveEndpoints::listed(const std::map<std::string, Numbers>& in, const std::string& name) const {
    std::vector<const bundle::PackedEndpoint*> out;
    if (const auto found = in.find(name); found != in.end())
        for (const Number number : found->second)
            out.push_back(&list_[number].packed);
    return out;
}

std::vector<const bundle::PackedEndpoint*> LiveEndpoints::on_node(const std::string& node) const {
    return listed(by_node_, node);
}

std::vector<const bundle::PackedEndpoint*> LiveEndpoints::in_space(const std::string& space) const {
    return listed(by_space_, space);
}

} // namespace polecat::driver
