#include "driver/compile/origins.h"

#include <nlohmann/json.hpp>

#include "analyzer/explain/trail.h"

namespace polecat::cli {

std::string origins_json(const decision::LoweredCluster& cluster, backends::NodeImages& images,
                         const backends::NodeImage& image, const std::string& node,
                         const Sources& sources) {
    using nlohmann::json;
    json out{{"node", node}, {"endpoints", json::array()}};
    for (const decision::Endpoint& endpoint : cluster.endpoints) {
        if (endpoint.node != node || endpoint.host_network)
            continue;
        json programs = json::object();
        for (const auto& [key, program] : cluster.groups[endpoint.group.value].programs) {
            const std::string& name = images.name_of(program.program);
            if (!image.programs.contains(name))
                continue;
            json slots = json::array();
            for (std::size_t i = 0; i < program.slots.size(); ++i) {
                const decision::Slot& slot = program.slots[i];
                json entry{{"tier", slot.tier}, {"what", analyzer::describe(slot, key.direction)}};
                if (slot.span.known())
                    entry["at"] = sources.describe(slot.span);
                slots.push_back(std::move(entry));
            }
            programs[name] = {{"direction", decision::to_string(key.direction)},
                              {"hook", decision::to_string(key.hook)},
                              {"slots", std::move(slots)}};
        }
        out["endpoints"].push_back({{"name", cluster.world.object(endpoint.object).name},
                                    {"interface", endpoint.interface_name},
                                    {"programs", std::move(programs)}});
    }
    return out.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

} // namespace polecat::cli
