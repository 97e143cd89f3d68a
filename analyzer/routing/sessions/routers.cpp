#include "analyzer/routing/sessions/routers.h"

#include <algorithm>
#include <map>
#include <set>

namespace polecat::routing {

namespace {

constexpr net::Family kFamilies[] = {net::Family::V4, net::Family::V6};

std::set<net::Address> addresses_of(const std::vector<NodeRouting>& nodes) {
    std::set<net::Address> out;
    for (const NodeRouting& node : nodes)
        for (const net::Family family : kFamilies)
            if (const auto& address = node.of(family).address)
                out.insert(*address);
    return out;
}

} // namespace

Routers fabric_routers(const policy::Cluster& cluster, const std::vector<NodeRouting>& nodes) {
    Routers out;
    std::map<net::Address, std::vector<const policy::FabricRouter*>> known;
    for (const policy::FabricInventory& inventory : cluster.inventories)
        for (const policy::FabricRouter& router : inventory.routers)
            known[router.address.value].push_back(&router);
    const std::set<net::Address> own = addresses_of(nodes);
    std::map<net::Address, std::map<net::AsNumber, std::size_t>> unknown;
    for (const NodeRouting& node : nodes)
        for (const net::Family family : kFamilies)
            for (const Session& session : node.of(family).sessions)
                if (session.kind != SessionKind::LocalWorkload && !own.contains(session.neighbor) &&
                    !known.contains(session.neighbor))
                    ++unknown[session.neighbor][session.neighbor_as];
    for (const auto& [address, routers] : known)
        if (routers.size() == 1)
            out.list.push_back(*routers.front());
        else
            out.ambiguous.push_back(address);
    for (const auto& [address, numbers] : unknown) {
        policy::FabricRouter router;
        router.address.value = address;
        router.as_number.value =
            std::max_element(numbers.begin(), numbers.end(), [](const auto& a, const auto& b) {
                return a.second < b.second;
            })->first;
        out.list.push_back(std::move(router));
        out.assumed.push_back(address);
    }
    std::sort(out.list.begin(), out.list.end(),
              [](const auto& a, const auto& b) { return a.address.value < b.address.value; });
    return out;
}

} // namespace polecat::routing
