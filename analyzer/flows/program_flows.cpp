#include "analyzer/flows/program_flows.h"

#include <algorithm>

#include "analyzer/flows/stage_walk.h"

namespace polecat::analyzer {

using decision::Entry;
using decision::Identity;
using decision::Match;
using decision::PortMatch;
using decision::Stage;
using decision::Tri;

namespace {

const net::PortSet kAnyPort = net::PortSet::of(net::PortRange{});

PortPairs on_side(const net::PortSet& ports, bool source) {
    return source ? PortPairs::of(kAnyPort, ports) : PortPairs::of(ports, kAnyPort);
}

ConnectionSet numbers_of(const PortMatch& match, bool source) {
    return match.numbers.empty() ? ConnectionSet{}
                                 : ConnectionSet::of_ports(on_side(match.numbers, source));
}

/// Where an end is in one of these sets with ports.
Bounds<ConnectionSet> in_sets(const std::vector<decision::PredicateId>& sets, const Identity& end,
                              bool source) {
    Bounds<ConnectionSet> out;
    for (const decision::PredicateId id : sets) {
        if (end.holds(id) == Tri::Unknown)
            out.may = out.may | ConnectionSet::of_ports(PortPairs::all());
        for (const decision::PortMember& member : end.port_members) {
            if (member.predicate != id)
                continue;
            const auto port = net::PortSet::of(net::PortRange{member.port, member.port});
            const auto set = ConnectionSet::of(member.protocol, on_side(port, source));
            out.sure = out.sure | set;
            out.may = out.may | set;
        }
    }
    return out;
}

/// A service with ports among the predicates of an end: it holds at its members' ports only.
bool has_members(const Identity& end, decision::PredicateId id) {
    if (end.port_members.empty())
        return false;
    const auto place = std::lower_bound(end.port_members.begin(), end.port_members.end(),
                                        decision::PortMember{id, 0, 0});
    return place != end.port_members.end() && place->predicate == id;
}

/// Narrows by the sets with ports that depend on who the end is.
void add_sets(Bounds<ConnectionSet>& bounds, const decision::EndMatch& match, const Identity& end,
              bool source) {
    const auto outside = [&](const Bounds<ConnectionSet>& inside) {
        bounds.sure = bounds.sure - inside.may;
        bounds.may = bounds.may - inside.sure;
    };
    const auto& [all, none, ports, not_ports] = match;
    for (const decision::PredicateId id : all)
        if (has_members(end, id))
            bounds = meet(bounds, in_sets({id}, end, source));
    for (const decision::PredicateId id : none)
        if (has_members(end, id))
            outside(in_sets({id}, end, source));
    if (ports && !ports->named.empty()) {
        Bounds<ConnectionSet> inside = in_sets(ports->named, end, source);
        const ConnectionSet numbers = numbers_of(*ports, source);
        inside.sure = inside.sure | numbers;
        inside.may = inside.may | numbers;
        bounds = meet(bounds, inside);
    }
    if (not_ports && !not_ports->named.empty())
        outside(in_sets(not_ports->named, end, source));
}

ConnectionSet icmp_set(const decision::IcmpTypeCode& wanted, net::Family family) {
    const auto protocol = family == net::Family::V4 ? net::kIcmp : net::kIcmpV6;
    std::vector<net::PortRange> ranges;
    for (unsigned type = wanted.type.value_or(0); type <= wanted.type.value_or(255); ++type)
        ranges.push_back({static_cast<std::uint16_t>(type * 256 + wanted.code.value_or(0)),
                          static_cast<std::uint16_t>(type * 256 + wanted.code.value_or(255))});
    return ConnectionSet::of_icmp(protocol, net::PortSet::of(ranges));
}

/// What entries match between two ends, for a walk that has no use for Log rules.
struct Between {
    const ProgramFlows& flows;
    const Identity& source;
    const Identity& destination;

    template <class Act> void each(std::size_t stage, const Act& act) const {
        const auto& entries = flows.program().stages[stage].entries;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (entries[i].staged || entries[i].action == decision::Action::Log)
                continue;
            const auto sets = flows.entry(stage, i, source, destination);
            if (sets && !act(i, *sets))
                return;
        }
    }
};

} // namespace

ConnectionSet packets_of(const Match& match, net::Family family, const HttpAtoms& atoms) {
    const auto& [protocol, not_protocol, icmp, not_icmp, source, destination, http] = match;
    ConnectionSet out = protocol ? ConnectionSet::of(*protocol) : ConnectionSet::all();
    if (not_protocol)
        out = out - ConnectionSet::of(*not_protocol);
    if (icmp)
        out = out & icmp_set(*icmp, family);
    if (not_icmp)
        out = out - icmp_set(*not_icmp, family);
    for (const bool is_source : {true, false}) {
        const auto& [all, none, ports, not_ports] = is_source ? source : destination;
        if (ports && ports->named.empty())
            out = out & numbers_of(*ports, is_source);
        if (not_ports)
            out = out - numbers_of(*not_ports, is_source);
    }
    // A request is matched by its path and method, a packet that shows none never.
    return http ? ConnectionSet::of_requests(atoms.of(*http), out.ports(net::kTcp)) : out;
}

Tri end_matches(const decision::EndMatch& match, const Identity& end) {
    const auto& [all, none, ports, not_ports] = match;
    Tri result = Tri::Yes;
    for (const decision::PredicateId id : all)
        if (!has_members(end, id))
            result = decision::both(result, end.holds(id));
    for (const decision::PredicateId id : none)
        if (!has_members(end, id))
            result = decision::both(result, !end.holds(id));
    return result;
}

bool reads_ports(const decision::EndMatch& match, const Identity& end) {
    const auto& [all, none, ports, not_ports] = match;
    for (const auto* list : {&ports, &not_ports})
        if (*list && !(*list)->named.empty())
            return true;
    if (end.port_members.empty())
        return false;
    for (const auto* list : {&all, &none})
        for (const decision::PredicateId id : *list)
            if (has_members(end, id))
                return true;
    return false;
}

std::optional<Bounds<ConnectionSet>> entry_sets(const Match& match, const ConnectionSet& packets,
                                                const Identity& source,
                                                const Identity& destination) {
    const Tri ends = decision::both(end_matches(match.source, source),
                                    end_matches(match.destination, destination));
    if (ends == Tri::No)
        return std::nullopt;
    Bounds<ConnectionSet> out{packets, packets};
    add_sets(out, match.source, source, true);
    add_sets(out, match.destination, destination, false);
    if (ends == Tri::Unknown) // something that is not known has to hold as well
        out.sure = ConnectionSet{};
    return out;
}

ProgramFlows::ProgramFlows(const decision::Program& program, const HttpAtoms& atoms)
    : program_(program) {
    for (const Stage& stage : program.stages) {
        auto& packets = packets_.emplace_back();
        for (const Entry& entry : stage.entries)
            packets.push_back(packets_of(entry.match, program.family, atoms));
    }
}

std::optional<Bounds<ConnectionSet>> ProgramFlows::entry(std::size_t stage, std::size_t entry,
                                                         const Identity& source,
                                                         const Identity& destination) const {
    return entry_sets(program_.stages[stage].entries[entry].match, packets_[stage][entry], source,
                      destination);
}

Bounds<ConnectionSet> ProgramFlows::between(const Identity& source,
                                            const Identity& destination) const {
    const PlainSets sets;
    const Between between{*this, source, destination};
    return AllowedWalk(program_, sets, between).run();
}

} // namespace polecat::analyzer
