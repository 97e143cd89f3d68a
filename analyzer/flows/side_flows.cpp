#include "analyzer/flows/side_flows.h"

#include <algorithm>

namespace polecat::analyzer {

using decision::Direction;
using decision::Identity;
using FlowPair = SideFlows::Pair;

SideFlows::SideFlows(const decision::LoweredCluster& cluster,
                     const decision::Identities& identities, net::Family family,
                     const HttpAtoms& atoms, SetStore& store)
    : cluster_(cluster), store_(store), matches_(atoms, store), ends_(cluster, identities, family),
      by_program_(cluster.programs.size()) {
    everything_ = store.intern(ConnectionSet::all());
}

SideFlows::Side& SideFlows::side_of(decision::ProgramId id) {
    std::unique_ptr<Side>& known = by_program_[id.value];
    if (!known) {
        const decision::Program& program = cluster_.program(id);
        const bool egress = program.direction == Direction::Egress;
        known = std::make_unique<Side>(Side{program,
                                            StoredFlows(program, matches_),
                                            predicates_of(program, egress),
                                            ends_.others_of(program),
                                            {},
                                            {},
                                            {}});
    }
    return *known;
}

std::uint32_t SideFlows::own_class(Side& side, std::uint32_t own) {
    const auto [place, added] = side.own_class_of.try_emplace(own, 0);
    if (added) {
        const auto next = static_cast<std::uint32_t>(side.cells.size());
        const auto [same, fresh] =
            side.own_classes.emplace(restricted(ends_.identity(own), side.own_predicates), next);
        if (fresh)
            side.cells.emplace_back(side.others.classes.size());
        place->second = same->second;
    }
    return place->second;
}

FlowPair SideFlows::cell(Side& side, std::uint32_t own, std::uint32_t other_class) {
    const std::uint32_t number = own_class(side, own);
    std::optional<FlowPair>& known = side.cells[number][other_class];
    if (!known) {
        const bool egress = side.program.direction == Direction::Egress;
        const Identity& mine = ends_.identity(own);
        const Identity& theirs = side.others.classes[other_class];
        const MatchSets::Sets sets =
            egress ? side.flows.between(mine, theirs) : side.flows.between(theirs, mine);
        known = FlowPair{sets.yes, sets.may};
    }
    return *known;
}

FlowPair SideFlows::one_side(Direction direction, std::uint32_t own, std::uint32_t other) {
    const auto program = ends_.list()[own].program(direction);
    if (!program)
        return without_program(own);
    Side& side = side_of(*program);
    const auto& groups = side.others.groups;
    const auto place = std::lower_bound(
        groups.begin(), groups.end(), other,
        [](const auto& each, std::uint32_t wanted) { return each.first < wanted; });
    const bool listed = place != groups.end() && place->first == other;
    return cell(side, own, listed ? place->second : 0);
}

std::vector<FlowPair> SideFlows::row(Direction direction, std::uint32_t own) {
    const auto program = ends_.list()[own].program(direction);
    if (!program)
        return std::vector<FlowPair>(ends_.list().size(), without_program(own));
    Side& side = side_of(*program);
    std::vector<FlowPair> out(ends_.list().size(), cell(side, own, 0));
    for (const auto& [group, number] : side.others.groups)
        out[group] = cell(side, own, number);
    return out;
}

FlowPair SideFlows::between(std::uint32_t source, std::uint32_t destination) {
    const FlowPair sent = one_side(Direction::Egress, source, destination);
    if (sent.may == 0)
        return sent;
    const FlowPair let_in = one_side(Direction::Ingress, destination, source);
    FlowPair out;
    out.allow = store_.intersect(sent.allow, let_in.allow);
    out.may = sent.allow == sent.may && let_in.allow == let_in.may
                  ? out.allow
                  : store_.intersect(sent.may, let_in.may);
    return out;
}

} // namespace polecat::analyzer
