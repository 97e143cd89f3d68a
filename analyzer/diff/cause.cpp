#include "analyzer/diff/cause.h"

#include <algorithm>

#include "analyzer/explain/trail.h"
#include "ir/decision/eval.h"
#include "ir/path/host_network.h"

namespace polecat::analyzer {

using decision::Direction;
using decision::End;
using decision::Flow;
using decision::LoweredCluster;
using decision::ObjectId;
using decision::Verdict;

namespace {

/// Client ports are high, so that an example looks like one where it may.
std::uint16_t client_port(const net::PortSet& ports) {
    constexpr std::uint16_t kUsual = 40000;
    return ports.contains(kUsual) ? kUsual : ports.ranges().front().last;
}

void take_ports(const PortPairs& ports, Flow& flow) {
    const PortPairs::Row& row = ports.rows().front();
    flow.destination_port = row.destination.first;
    flow.source_port = client_port(row.source);
    // One that people know, where it is among them; not port 1 of all.
    for (const std::uint16_t usual : std::initializer_list<std::uint16_t>{443, 80, 8080, 22, 53})
        for (const PortPairs::Row& each : ports.rows())
            if (each.destination.first <= usual && usual <= each.destination.last) {
                flow.destination_port = usual;
                flow.source_port = client_port(each.source);
                return;
            }
}

using Member = std::optional<ObjectId>; ///< nullopt: an outside address

End end_of(const LoweredCluster& cluster, Member object, const net::AddressSet& outside,
           net::Family family) {
    if (!object)
        return decision::end_of(cluster.world, example_address(outside));
    End out{{*object}, std::nullopt};
    for (const net::Address& address : cluster.world.object(*object).addresses)
        if (address.family == family) {
            out = decision::end_of(cluster.world, address);
            if (std::find(out.objects.begin(), out.objects.end(), *object) == out.objects.end())
                out.objects.push_back(*object);
            break;
        }
    return out;
}

Decider decider_of(const LoweredCluster& cluster, Member object, Direction direction,
                   const Flow& flow) {
    const auto [program, whose, unsure] =
        object ? ir::HostNetwork(cluster).governor(*object, direction, flow.family)
               : ir::HostNetwork::Governor{};
    if (unsure)
        return {Verdict::Depends, std::string(ir::kUnsureGovernor), {}};
    if (program == nullptr)
        return {Verdict::Allow, "no policy", {}};
    const auto decision =
        decision::eval(cluster.program(program->program), cluster.predicates, cluster.world, flow);
    const decision::Slot& slot = program->slots[decision.slot.value];
    std::string text = decider(slot, direction);
    if (slot.kind == decision::Slot::Kind::EndOfTier && !slot.tier.empty())
        text = "the end of tier " + slot.tier + ", where nothing matched";
    else if (slot.kind == decision::Slot::Kind::EndOfProgram)
        text = "the end of all policy";
    return {decision.verdict, std::move(text), slot.span};
}

} // namespace

net::Address example_address(const net::AddressSet& nets) {
    for (const char* usual : {"203.0.113.7", "2001:db8::7"}) // for documentation: RFC 5737, 3849
        if (const auto address = net::parse_address(usual); nets.contains(*address))
            return *address;
    const net::Range& first = nets.ranges().front(); // whose first address may be a network's
    const auto next = net::next(first.first);
    return next && *next <= first.last ? *next : first.first;
}

std::optional<Flow> example_of(const ConnectionSet& set, const HttpAtoms& atoms,
                               net::Family family) {
    Flow flow;
    flow.family = family;
    for (const net::Protocol protocol : {net::kTcp, net::kUdp, net::kSctp})
        if (!set.ports(protocol).empty()) {
            flow.protocol = protocol;
            take_ports(set.ports(protocol), flow);
            return flow;
        }
    for (std::uint32_t atom = 0; atom < atoms.count(); ++atom)
        if (!set.request_ports(atom).empty()) {
            flow.protocol = net::kTcp;
            take_ports(set.request_ports(atom), flow);
            flow.http = atoms.example(atom);
            return flow;
        }
    for (const net::Protocol protocol : {net::kIcmp, net::kIcmpV6})
        if (!set.icmp_types(protocol).empty()) {
            const std::uint16_t type = set.icmp_types(protocol).ranges().front().first;
            flow.protocol = protocol;
            flow.icmp_type = static_cast<std::uint8_t>(type / 256);
            flow.icmp_code = static_cast<std::uint8_t>(type % 256);
            return flow;
        }
    for (unsigned protocol = 0; protocol < 256; ++protocol)
        if (set.has_other(static_cast<net::Protocol>(protocol))) {
            flow.protocol = static_cast<net::Protocol>(protocol);
            return flow;
        }
    return std::nullopt;
}

void explain_change(const LoweredCluster& base, const LoweredCluster& head, const DiffEnd& source,
                    const DiffEnd& destination, const HttpAtoms& atoms, net::Family family,
                    FlowChange& change) {
    const auto example = example_of(change.connections, atoms, family);
    if (!example)
        return;
    change.example = *example;
    const std::size_t second = example_member(source, destination);
    struct Version {
        const LoweredCluster& cluster;
        Member source, destination;
        Flow flow;
    };
    const auto version = [&](const LoweredCluster& cluster, const std::vector<ObjectId>& from,
                             const std::vector<ObjectId>& to) {
        Version out{cluster, from.empty() ? Member() : from.front(),
                    to.empty() ? Member() : to[second], *example};
        out.flow.source = end_of(cluster, out.source, source.outside, family);
        out.flow.destination = end_of(cluster, out.destination, destination.outside, family);
        return out;
    };
    const Version before = version(base, source.base, destination.base);
    const Version now = version(head, source.head, destination.head);
    for (const Direction direction : {Direction::Egress, Direction::Ingress}) {
        const auto decide = [&](const Version& of) {
            return decider_of(of.cluster,
                              direction == Direction::Egress ? of.source : of.destination,
                              direction, of.flow);
        };
        Cause cause{direction, decide(before), decide(now)};
        if (cause.before.verdict != cause.now.verdict)
            change.causes.push_back(std::move(cause));
    }
    change.example.source = now.flow.source;
    change.example.destination = now.flow.destination;
}

} // namespace polecat::analyzer
