#include "driver/rollout/groups.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace polecat::driver {

namespace {

constexpr std::size_t kMostGroups = 12; ///< that a reader takes in; more are told by kind of change

using Kinds = std::map<std::pair<PartKind, PartChange>, PartCount>;

/// Nodes of one group are equal in this.
struct GroupKey {
    NodeRollout::State state;
    std::string why;
    bool judges_anew, unexplained;
    std::vector<std::string> steps;
    std::vector<std::pair<PartKind, PartChange>> kinds;
    std::vector<PartCount> counts; ///< only where groups are of equal change
    std::vector<std::size_t> reasons;
    std::vector<net::Address> forget;
    auto operator<=>(const GroupKey&) const = default;
};

GroupKey key_of(const NodeRollout& node, bool equal) {
    GroupKey out{node.state, node.why, node.judges_anew, node.unexplained, {}, {}, {}, {}, {}};
    for (const RolloutStep& step : node.steps)
        out.steps.push_back(step.what);
    for (const auto& [kind, count] : counts_of(node)) {
        out.kinds.push_back(kind);
        if (equal)
            out.counts.push_back(count);
    }
    if (equal) {
        out.reasons = node.reasons;
        out.forget = node.forget;
    }
    return out;
}

std::vector<RolloutGroup> grouped(const Rollout& rollout, bool equal) {
    std::vector<RolloutGroup> out;
    std::map<GroupKey, std::size_t> known;
    for (std::size_t i = 0; i < rollout.nodes.size(); ++i) {
        const auto [place, added] = known.try_emplace(key_of(rollout.nodes[i], equal), out.size());
        if (added)
            out.push_back({{}, equal, {}});
        out[place->second].nodes.push_back(i);
    }
    for (RolloutGroup& group : out) {
        std::map<std::size_t, std::size_t> nodes_of;
        for (const std::size_t node : group.nodes)
            for (const std::size_t reason : rollout.nodes[node].reasons)
                ++nodes_of[reason];
        group.reasons.assign(nodes_of.begin(), nodes_of.end());
        std::stable_sort(group.reasons.begin(), group.reasons.end(),
                         [](const auto& a, const auto& b) { return a.second > b.second; });
        group.same = equal || group.nodes.size() == 1;
    }
    return out;
}

} // namespace

Kinds counts_of(const NodeRollout& node) {
    Kinds out;
    for (const RulesPart& part : node.parts.parts) {
        PartCount& count = out[{part.kind, part.change}];
        ++count.parts;
        count.chains += part.chains;
        count.rules += part.rules;
        count.maps += part.maps;
        count.elements += part.elements;
    }
    return out;
}

std::vector<RolloutGroup> groups_of(const Rollout& rollout) {
    std::vector<RolloutGroup> out = grouped(rollout, true);
    return out.size() <= kMostGroups ? out : grouped(rollout, false);
}

} // namespace polecat::driver
