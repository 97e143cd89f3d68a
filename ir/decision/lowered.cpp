#include "ir/decision/lowered.h"

#include <algorithm>

namespace polecat::decision {

const Endpoint* LoweredCluster::endpoint_of(ObjectId object) const {
    // Lowering adds endpoints in the order of their objects.
    const auto place = std::lower_bound(
        endpoints.begin(), endpoints.end(), object,
        [](const Endpoint& endpoint, ObjectId wanted) { return endpoint.object < wanted; });
    return place != endpoints.end() && place->object == object ? &*place : nullptr;
}

const GroupProgram* LoweredCluster::find(ObjectId object, Direction direction, Hook hook,
                                         net::Family family) const {
    const Endpoint* endpoint = endpoint_of(object);
    if (endpoint == nullptr || endpoint->host_network)
        return nullptr;
    const auto& of_group = groups[endpoint->group.value].programs;
    const auto found = of_group.find(Group::Key{direction, hook, family});
    return found == of_group.end() ? nullptr : &found->second;
}

} // namespace polecat::decision
