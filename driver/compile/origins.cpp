#include "driver/compile/origins.h"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "analyzer/explain/trail.h"
#include "support/json_text.h"

namespace polecat::driver {

std::string origins_json(const decision::LoweredCluster& cluster, backends::NodeImages& images,
                         const backends::NodeImage& image, const std::string& node,
                         const Sources& sources) {
    using nlohmann::json;
    json out{{"node", node}, {"endpoints", json::array()}};
    // By name, as the order of reading is nothing that a node should see.
    std::map<std::pair<std::string, std::string>, const decision::Endpoint*> endpoints;
    for (const decision::Endpoint& each : cluster.endpoints)
        if (each.node == node && !each.host_network)
            endpoints[{cluster.world.object(each.object).name, each.interface_name}] = &each;
    for (const auto& [named, held] : endpoints) {
        const decision::Endpoint& endpoint = *held;
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
        out["endpoints"].push_back({{"name", named.first},
                                    {"interface", named.second},
                                    {"programs", std::move(programs)}});
    }
    return json_text(std::move(out), -1);
}

Result<Origins> parse_origins(const std::string& text) {
    try {
        const auto json = nlohmann::json::parse(text);
        Origins out;
        out.node = json.at("node").get<std::string>();
        for (const auto& endpoint : json.at("endpoints"))
            for (const auto& [name, program] : endpoint.at("programs").items()) {
                auto& slots = out.slots[{endpoint.at("interface").get<std::string>(), name}];
                out.uses[name].push_back({endpoint.at("name").get<std::string>(),
                                          program.at("direction").get<std::string>(),
                                          program.at("hook").get<std::string>()});
                slots.clear(); // endpoints of one interface may run one program twice
                for (const auto& slot : program.at("slots")) {
                    const auto what = slot.at("what").get<std::string>();
                    slots.push_back(slot.contains("at")
                                        ? what + " (" + slot.at("at").get<std::string>() + ")"
                                        : what);
                }
            }
        return out;
    } catch (const nlohmann::json::parse_error& failure) {
        return Error{"it is no JSON (byte " + std::to_string(failure.byte) + ")"};
    } catch (const nlohmann::json::exception&) {
        return Error{"it lacks what `polecat compile` writes into it"};
    }
}

std::string Origins::rule(const std::string& interface, const std::string& program,
                          std::uint32_t slot) const {
    auto found = slots.find({interface, program});
    if (found == slots.end())
        found = std::find_if(slots.begin(), slots.end(),
                             [&](const auto& each) { return each.first.second == program; });
    const bool known = found != slots.end() && slot < found->second.size();
    return known ? found->second[slot] : "";
}

std::string origins_lack(const Origins& origins, const std::string& node,
                         const backends::NodeImage& image) {
    if (origins.node != node)
        return "it is of node " + origins.node;
    for (const auto& [name, program] : image.programs) {
        std::size_t slots = 0;
        for (const auto& [number, cell] : program->cells) {
            slots = std::max<std::size_t>(slots, cell.slot + std::size_t{1});
            for (const std::uint32_t log : cell.logs)
                slots = std::max<std::size_t>(slots, log + std::size_t{1});
        }
        bool known = false;
        for (const auto& [place, listed] : origins.slots) {
            if (place.second != name)
                continue;
            known = true;
            if (listed.size() < slots)
                return "it lacks slots of program " + name;
        }
        if (!known)
            return "it lacks program " + name;
    }
    return {};
}

} // namespace polecat::driver
