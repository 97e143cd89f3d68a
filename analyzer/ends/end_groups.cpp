#include "analyzer/ends/end_groups.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "ir/path/host_network.h"

namespace polecat::analyzer {

using decision::Direction;
using decision::PredicateId;

EndGroups::EndGroups(const decision::LoweredCluster& cluster,
                     const decision::Identities& identities, net::Family family,
                     const GroupOptions& options)
    : identities_(identities), family_(family) {
    add_endpoints(cluster, options.by_node);
    for (const auto& [nets, identity] : identities.outside(family))
        groups_.push_back({{}, nets, identity, std::nullopt, std::nullopt, false});
    if (options.order == GroupOrder::ByMembership)
        sort_by_membership(cluster.predicates.size());
    group_of_.resize(cluster.world.objects.size());
    for (std::uint32_t i = 0; i < groups_.size(); ++i)
        for (const decision::ObjectId object : groups_[i].objects)
            group_of_[object.value] = i;
    std::vector<const decision::Identity*> seen;
    for (const EndGroup& group : groups_)
        seen.push_back(&identities[group.identity]);
    classes_.emplace(std::move(seen), cluster.predicates.size());
}

void EndGroups::add_endpoints(const decision::LoweredCluster& cluster, bool by_node) {
    using Key = std::tuple<std::uint32_t, std::int64_t, std::int64_t>;
    std::map<Key, std::uint32_t> by_key;
    ir::HostNetwork nodes(cluster);
    const auto governor = [&](const decision::Endpoint& endpoint, Direction direction) {
        return endpoint.host_network && !by_node
                   ? ir::HostNetwork::Governor{}
                   : nodes.governor(endpoint.object, direction, family_);
    };
    const auto number = [](const ir::HostNetwork::Governor& of) {
        return of.program != nullptr ? std::int64_t{of.program->program.value}
               : of.unsure           ? -2
                                     : -1;
    };
    const auto program = [](const ir::HostNetwork::Governor& of) {
        return of.program != nullptr ? std::optional(of.program->program) : std::nullopt;
    };
    for (const decision::Endpoint& endpoint : cluster.endpoints) {
        const auto identity = identities_.of_object(endpoint.object, family_);
        if (!identity)
            continue;
        const auto egress = governor(endpoint, Direction::Egress);
        const auto ingress = governor(endpoint, Direction::Ingress);
        const auto next = static_cast<std::uint32_t>(groups_.size());
        const auto [place, added] =
            by_key.try_emplace(Key{identity->value, number(egress), number(ingress)}, next);
        if (added)
            groups_.push_back(
                {{}, {}, *identity, program(egress), program(ingress), egress.unsure});
        groups_[place->second].objects.push_back(endpoint.object);
    }
}

/// Compares groups by what selects them, the widest predicate first: its members stand in one
/// range then, those of the next in two, and the narrow ones have few members at all.
void EndGroups::sort_by_membership(std::size_t predicates) {
    std::vector<std::size_t> width(predicates, 0);
    for (const EndGroup& group : groups_)
        for (const PredicateId id : identities_[group.identity].yes)
            ++width[id.value];
    using Widths = std::vector<std::pair<std::size_t, std::uint32_t>>; // narrowness, predicate
    std::vector<std::tuple<bool, Widths, std::uint32_t>> keys;
    for (std::uint32_t i = 0; i < groups_.size(); ++i) {
        Widths widths;
        for (const PredicateId id : identities_[groups_[i].identity].yes)
            widths.emplace_back(groups_.size() - width[id.value], id.value);
        std::sort(widths.begin(), widths.end());
        keys.emplace_back(groups_[i].is_outside(), std::move(widths), i);
    }
    std::sort(keys.begin(), keys.end());
    std::vector<EndGroup> sorted;
    for (const auto& key : keys)
        sorted.push_back(std::move(groups_[std::get<2>(key)]));
    groups_ = std::move(sorted);
}

bool EndGroups::all_known(const decision::Program& program) const {
    for (const decision::Stage& stage : program.stages)
        for (const decision::Entry& entry : stage.entries)
            for (const auto* side : {&entry.match->source, &entry.match->destination}) {
                bool known = true;
                each_predicate(
                    *side, [&](PredicateId id) { known = known && !classes_->is_in_doubt(id); });
                if (!known)
                    return false;
            }
    return true;
}

} // namespace polecat::analyzer
