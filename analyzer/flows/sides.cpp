#include "analyzer/flows/sides.h"

#include <algorithm>
#include <map>

#include "analyzer/flows/program_flows.h"
#include "analyzer/flows/program_view.h"

namespace polecat::analyzer {

using decision::Direction;
using decision::Identity;

namespace {

std::size_t mix(std::size_t hash, std::uint64_t value) {
    return (hash ^ value) * 1099511628211u;
}

} // namespace

void append(GroupRanges& ranges, std::uint32_t first, std::uint32_t last) {
    if (!ranges.empty() && ranges.back().second + 1 == first)
        ranges.back().second = last;
    else
        ranges.emplace_back(first, last);
}

Sides::Sides(const decision::LoweredCluster& cluster, const decision::Identities& identities,
             net::Family family)
    : ends_(cluster, identities, family, {.order = GroupOrder::ByMembership}), atoms_({&cluster}) {
    const std::uint32_t all = store_.intern(ConnectionSet::all());
    const auto& groups = ends_.list();
    for (const Direction direction : {Direction::Egress, Direction::Ingress}) {
        std::map<std::uint32_t, std::vector<std::uint32_t>> by_program;
        std::vector<std::uint32_t> silent, unsure; // they let, or may let, everything through
        for (std::uint32_t i = 0; i < groups.size() && !groups[i].is_outside(); ++i) {
            const auto id = groups[i].program(direction);
            (id ? by_program[id->value] : groups[i].unsure ? unsure : silent).push_back(i);
        }
        const auto last = static_cast<std::uint32_t>(groups.size() - 1);
        if (!silent.empty())
            add_side(direction, std::move(silent), {{{all, all}, intern({{0, last}})}});
        if (!unsure.empty())
            add_side(direction, std::move(unsure), {{{0, all}, intern({{0, last}})}});
        for (const auto& [id, owners] : by_program)
            add_program(cluster.program(decision::ProgramId{id}), owners);
    }
}

void Sides::add_program(const decision::Program& program,
                        const std::vector<std::uint32_t>& owners) {
    ProgramView view(program, ProgramFlows(program, atoms_), ends_);
    std::map<Identity, std::vector<std::uint32_t>> by_own;
    for (const std::uint32_t owner : owners)
        by_own[view.own(ends_.identity(owner))].push_back(owner);
    for (auto& [own, alike] : by_own) {
        std::vector<SetBounds> by_class;
        for (std::uint32_t i = 0; i < view.others().classes.size(); ++i) {
            const Bounds<ConnectionSet> sets = view.between(own, i);
            const std::uint32_t sure = store_.intern(sets.sure);
            by_class.push_back({sure, sets.is_certain() ? sure : store_.intern(sets.may)});
        }
        add_side(program.direction, std::move(alike), openings(by_class, view.others()));
    }
}

std::vector<Sides::Opening> Sides::openings(const std::vector<SetBounds>& by_class,
                                            const GroupClasses::Partition& partition) {
    std::map<SetBounds, GroupRanges> peers;
    std::vector<GroupRanges*> of_class; // nullptr: nothing is open
    for (const SetBounds& pair : by_class)
        of_class.push_back(pair.may == 0 ? nullptr : &peers[pair]);
    std::uint32_t next = 0; // first group that has no class yet
    const auto rest = [&](std::uint32_t stop) {
        if (of_class.front() != nullptr && next < stop)
            append(*of_class.front(), next, stop - 1);
        next = stop + 1;
    };
    for (const auto& [group, number] : partition.groups) {
        rest(group);
        if (of_class[number] != nullptr)
            append(*of_class[number], group, group);
    }
    rest(static_cast<std::uint32_t>(groups().size()));
    std::vector<Opening> out;
    for (auto& [pair, ranges] : peers)
        if (!ranges.empty())
            out.push_back({pair, intern(std::move(ranges))});
    return out;
}

void Sides::add_side(Direction direction, std::vector<std::uint32_t> owners,
                     std::vector<Opening> openings) {
    std::size_t hash = mix(1469598103934665603u, direction == Direction::Egress ? 1 : 2);
    for (const Opening& each : openings) {
        hash = mix(hash, (std::uint64_t{each.connections.sure} << 32) | each.connections.may);
        hash = mix(hash, each.peers);
    }
    for (const std::uint32_t each : sides_by_hash_[hash])
        if (sides_[each].direction == direction && sides_[each].openings == openings) {
            auto& groups = sides_[each].groups;
            groups.insert(groups.end(), owners.begin(), owners.end());
            std::sort(groups.begin(), groups.end());
            return;
        }
    sides_by_hash_[hash].push_back(static_cast<std::uint32_t>(sides_.size()));
    sides_.push_back({direction, std::move(owners), std::move(openings)});
}

std::uint32_t Sides::intern(GroupRanges ranges) {
    std::size_t hash = 1469598103934665603u;
    for (const auto& [first, last] : ranges)
        hash = mix(hash, (std::uint64_t{first} << 32) | last);
    for (const std::uint32_t each : peers_by_hash_[hash])
        if (peers_[each] == ranges)
            return each;
    peers_by_hash_[hash].push_back(static_cast<std::uint32_t>(peers_.size()));
    ranges.shrink_to_fit();
    peers_.push_back(std::move(ranges));
    return static_cast<std::uint32_t>(peers_.size() - 1);
}

} // namespace polecat::analyzer
