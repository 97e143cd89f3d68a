#include "analyzer/flows/side_flows.h"

#include <algorithm>

namespace polecat::analyzer {

using decision::Direction;

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
        known = std::make_unique<Side>(
            Side{ProgramView(program, StoredFlows(program, matches_), ends_), {}});
    }
    return *known;
}

SetBounds SideFlows::cell(Side& side, std::uint32_t own, std::uint32_t other_class) {
    const std::uint32_t number = side.view.own_class_of(own);
    if (number == side.cells.size())
        side.cells.emplace_back(side.view.others().classes.size());
    std::optional<SetBounds>& known = side.cells[number][other_class];
    if (!known)
        known = side.view.between(ends_.identity(own), other_class);
    return *known;
}

SetBounds SideFlows::one_side(Direction direction, std::uint32_t own, std::uint32_t other) {
    const auto program = ends_.list()[own].program(direction);
    if (!program)
        return without_program(own);
    Side& side = side_of(*program);
    return cell(side, own, side.view.class_of(other));
}

std::vector<SetBounds> SideFlows::row(Direction direction, std::uint32_t own) {
    const auto program = ends_.list()[own].program(direction);
    if (!program)
        return std::vector<SetBounds>(ends_.list().size(), without_program(own));
    Side& side = side_of(*program);
    std::vector<SetBounds> out(ends_.list().size(), cell(side, own, 0));
    for (const auto& [group, number] : side.view.others().groups)
        out[group] = cell(side, own, number);
    return out;
}

SetBounds SideFlows::between(std::uint32_t source, std::uint32_t destination) {
    const SetBounds sent = one_side(Direction::Egress, source, destination);
    if (sent.may == 0)
        return sent;
    return store_.meet(sent, one_side(Direction::Ingress, destination, source));
}

} // namespace polecat::analyzer
