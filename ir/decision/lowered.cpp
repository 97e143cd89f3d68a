#include "ir/decision/lowered.h"

#include <algorithm>

#include "ir/decision/eval.h"

namespace polecat::decision {

const Endpoint* LoweredCluster::endpoint_of(ObjectId object) const {
    // Lowering adds endpoints in the order of their objects.
    const auto place = std::lower_bound(
        endpoints.begin(), endpoints.end(), object,
        [](const Endpoint& endpoint, ObjectId wanted) { return endpoint.object < wanted; });
    return place != endpoints.end() && place->object == object ? &*place : nullptr;
}

bool LoweredCluster::is_in_doubt(ProgramId id) const {
    const auto in_doubt = [&](PredicateId each) {
        const Predicate& predicate = predicates[each];
        if (const auto* objects = std::get_if<ObjectSet>(&predicate))
            return std::any_of(
                world.network_sets.begin(), world.network_sets.end(),
                [&](ObjectId set) { return decision::is_in_doubt(*objects, world.object(set)); });
        const auto* service = std::get_if<ServiceSet>(&predicate);
        return std::holds_alternative<UnreadSet>(predicate) ||
               (service != nullptr && decision::is_in_doubt(*service, world));
    };
    for (const bool source : {true, false})
        for (const PredicateId each : predicates_of(program(id), source))
            if (in_doubt(each))
                return true;
    return false;
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

const GroupProgram* LoweredCluster::find_at_end(ObjectId object, Direction direction,
                                                net::Family family) const {
    const auto found = behind_failsafes.find({object, direction, family});
    return found != behind_failsafes.end() ? &found->second
                                           : find(object, direction, Hook::Normal, family);
}

} // namespace polecat::decision
