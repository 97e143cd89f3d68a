#include <nlohmann/json.hpp>

#include "cli/polecat/diff/rules_print.h"
#include "driver/rollout/costs.h"
#include "support/json_text.h"

namespace polecat::cli {

using namespace driver;
using nlohmann::json;

namespace {

json tally_json(const Tally& tally) {
    return {{"come", tally.come}, {"go", tally.go}, {"anew", tally.anew}, {"stay", tally.stay}};
}

const char* state_name(NodeRollout::State state) {
    switch (state) {
    case NodeRollout::State::Same:
        return "same";
    case NodeRollout::State::Changes:
        return "changes";
    case NodeRollout::State::Fresh:
        return "fresh";
    case NodeRollout::State::Left:
        return "left";
    case NodeRollout::State::NotTold:
        break;
    }
    return "not told";
}

json part_json(const RulesPart& part, const NodeRollout& node) {
    json out{{"kind", to_string(part.kind)},          {"name", part.name},
             {"change", to_string(part.change)},      {"chains", tally_json(part.chains)},
             {"rules", tally_json(part.rules)},       {"maps", tally_json(part.maps)},
             {"elements", tally_json(part.elements)}, {"objects", part.objects}};
    if (const auto use = node.uses.find(part.name); use != node.uses.end()) {
        out["direction"] = use->second.direction;
        out["endpoints"] = use->second.endpoints;
        out["policies"] = use->second.policies;
    }
    return out;
}

json work_json(const backends::Work& work) {
    return {{"elements_in", work.elements_in},   {"ranges_in", work.ranges_in},
            {"elements_out", work.elements_out}, {"elements_dropped", work.elements_dropped},
            {"maps_in", work.maps_in},           {"maps_out", work.maps_out},
            {"chains_in", work.chains_in},       {"chains_out", work.chains_out},
            {"rules_in", work.rules_in},         {"rules_out", work.rules_out}};
}

json node_json(const NodeRollout& node) {
    json parts = json::array(), steps = json::array(), forget = json::array();
    for (const RulesPart& part : node.parts.parts)
        parts.push_back(part_json(part, node));
    for (const RolloutStep& step : node.steps)
        steps.push_back({{"what", step.what},
                         {"bytes", step.bytes},
                         {"seconds", step.seconds},
                         {"work", work_json(step.work)}});
    for (const net::Address& each : node.forget)
        forget.push_back(net::to_string(each));
    return {{"node", node.node},
            {"state", state_name(node.state)},
            {"why", node.why},
            {"programs", tally_json(node.parts.programs)},
            {"chains", tally_json(node.parts.chains)},
            {"rules", tally_json(node.parts.rules)},
            {"maps", tally_json(node.parts.maps)},
            {"elements", tally_json(node.parts.elements)},
            {"parts", parts},
            {"steps", steps},
            {"judges_anew", node.judges_anew},
            {"forget", forget},
            {"reasons", node.reasons},
            {"unexplained", node.unexplained}};
}

json costs_json(const Costs& costs) {
    return {{"transaction", costs.transaction},
            {"element_in", costs.element_in},
            {"range_in", costs.range_in},
            {"element_out", costs.element_out},
            {"element_dropped", costs.element_dropped},
            {"map_in", costs.map_in},
            {"map_out", costs.map_out},
            {"chain_in", costs.chain_in},
            {"chain_out", costs.chain_out},
            {"rule_in", costs.rule_in},
            {"rule_out", costs.rule_out}};
}

} // namespace

std::string rollout_json(const Rollout& rollout, const std::vector<std::string>& over) {
    json reasons = json::array(), groups = json::array(), nodes = json::array();
    for (const Reason& reason : rollout.reasons)
        reasons.push_back({{"object", reason.object},
                           {"what", reason.what},
                           {"at", reason.at.empty() ? json() : json(reason.at)}});
    for (const RolloutGroup& group : groups_of(rollout)) {
        json names = json::array(), why = json::array();
        for (const std::size_t node : group.nodes)
            names.push_back(rollout.nodes[node].node);
        for (const auto& [reason, count] : group.reasons)
            why.push_back({{"reason", reason}, {"nodes", count}});
        groups.push_back({{"nodes", names}, {"same", group.same}, {"reasons", why}});
    }
    for (const NodeRollout& node : rollout.nodes)
        nodes.push_back(node_json(node));
    const json out{
        {"base", rollout.base},
        {"head", rollout.head},
        {"notes", rollout.notes},
        {"target", rollout.target},
        {"microseconds", costs_json(rollout.target != "nftables" ? kIptablesCosts : kNftCosts)},
        {"reasons", reasons},
        {"groups", groups},
        {"nodes", nodes},
        {"over_limits", over}};
    return json_text(out);
}

} // namespace polecat::cli
