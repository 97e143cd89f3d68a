#include "ir/decision/world.h"

#include <algorithm>

#include "ir/decision/flow.h"

namespace polecat::decision {

namespace {

auto first_holder(const World& world, const net::Address& address) {
    return std::lower_bound(
        world.by_address.begin(), world.by_address.end(), address,
        [](const auto& held, const net::Address& wanted) { return held.first < wanted; });
}

} // namespace

End end_of(const World& world, const net::Address& address) {
    End end;
    end.address = address;
    for (auto held = first_holder(world, address);
         held != world.by_address.end() && held->first == address; ++held)
        end.objects.push_back(held->second);
    return end;
}

bool World::is_held(const net::Address& address) const {
    const auto held = first_holder(*this, address);
    return held != by_address.end() && held->first == address;
}

void World::index_addresses() {
    by_address.clear();
    host_endpoints.clear();
    for (std::size_t i = 0; i < objects.size(); ++i) {
        const ObjectId id{static_cast<std::uint32_t>(i)};
        if (objects[i].selectable)
            for (const net::Address& address : objects[i].addresses)
                by_address.emplace_back(address, id);
        if (objects[i].kind == Object::Kind::HostEndpoint && !objects[i].addresses.empty())
            host_endpoints.push_back(id);
    }
    std::sort(by_address.begin(), by_address.end());
    by_address.erase(std::unique(by_address.begin(), by_address.end()), by_address.end());
    by_address.shrink_to_fit();
}

} // namespace polecat::decision
