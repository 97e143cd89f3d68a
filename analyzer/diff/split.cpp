#include "analyzer/diff/split.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "analyzer/diff/cause.h"
#include "analyzer/explain/set_trail.h"
#include "analyzer/explain/trail.h"
#include "ir/path/host_network.h"

namespace polecat::analyzer {

using decision::Direction;
using decision::Slot;

namespace {

/// Beyond these, changes of a large cluster have the causes of their examples only.
constexpr std::size_t kMostPairs = 20'000;
constexpr std::size_t kMostParts = 16;

/// Which policy decides, not which of its rules; the default of one namespace is that of another.
std::string policy_of(const Decider& decider) {
    if (decider.text.starts_with("the default of namespace "))
        return "the default";
    for (const char* direction : {" ingress[", " egress["})
        if (const std::size_t at = decider.text.rfind(direction); at != std::string::npos)
            return decider.text.substr(0, at);
    return decider.text;
}

std::string policies_of(const FlowChange& change) {
    std::string out;
    for (const Cause& cause : change.causes)
        out += std::string(decision::to_string(cause.direction)) + " " + policy_of(cause.before) +
               "\n" + policy_of(cause.now) + "\n";
    return out;
}

std::string policy_of(const Slot& slot, Direction direction) {
    return slot.kind == Slot::Kind::Rule ? policy::to_string(slot.policy)
                                         : describe(slot, direction);
}

/// The packet by itself; nullopt: of requests.
std::optional<ConnectionSet> set_of(const decision::Flow& flow) {
    if (flow.http)
        return std::nullopt;
    if (flow.icmp_type)
        return ConnectionSet::of_icmp(
            flow.protocol,
            net::PortSet::of(net::PortRange{
                static_cast<std::uint16_t>(*flow.icmp_type * 256 + flow.icmp_code.value_or(0)),
                static_cast<std::uint16_t>(*flow.icmp_type * 256 + flow.icmp_code.value_or(0))}));
    if (!flow.destination_port || !flow.source_port)
        return ConnectionSet::of(flow.protocol);
    const auto one = [](std::uint16_t port) {
        return net::PortSet::of(net::PortRange{port, port});
    };
    return ConnectionSet::of(flow.protocol,
                             PortPairs::of(one(*flow.destination_port), one(*flow.source_port)));
}

/// All that the policy decides of the packets which decides about `packet`; nullopt: not known.
std::optional<ConnectionSet> of_same_policy(const decision::GroupProgram& program,
                                            const std::vector<SetStep>& trail, Direction direction,
                                            const ConnectionSet& packet) {
    const auto decides = [](const SetStep& step) { return step.action != decision::Action::Pass; };
    const auto found = std::find_if(trail.begin(), trail.end(), [&](const SetStep& step) {
        return decides(step) && !(step.taken.sure & packet).empty();
    });
    if (found == trail.end())
        return std::nullopt;
    const auto policy = [&](const SetStep& step) {
        return policy_of(program.slots[step.slot.value], direction);
    };
    ConnectionSet out;
    for (const SetStep& step : trail)
        if (decides(step) && policy(step) == policy(*found))
            out = out | step.taken.sure;
    return out;
}

} // namespace

FlowChange CauseSplitter::explained(const FlowChange& whole, Ends sources,
                                    Ends destinations) const {
    FlowChange out;
    out.kind = whole.kind;
    out.sources = std::move(sources);
    out.destinations = std::move(destinations);
    out.connections = whole.connections;
    explain_change(base_.cluster, head_.cluster, ends_[out.sources.front()],
                   ends_[out.destinations.front()], atoms_, family_, out);
    return out;
}

template <class Change>
std::vector<CauseSplitter::Ends> CauseSplitter::by_cause(const Ends& ends,
                                                         const Change& change_of) const {
    std::map<std::string, std::size_t> known;
    std::vector<Ends> out;
    for (const std::uint32_t end : ends) {
        const auto [place, fresh] = known.try_emplace(policies_of(change_of(end)), out.size());
        if (fresh)
            out.emplace_back();
        out[place->second].push_back(end);
    }
    return out;
}

/// Those of its connections that the policies decide which decide about its example.
ConnectionSet CauseSplitter::decided_alike(const FlowChange& change) const {
    ConnectionSet out = change.connections;
    const auto packet = set_of(change.example);
    const std::uint32_t source = change.sources.front(), to = change.destinations.front();
    for (const Cause& cause : change.causes)
        for (const CauseSide* side : {&base_, &head_}) {
            const DiffEnd& own = ends_[cause.direction == Direction::Egress ? source : to];
            const auto& objects = side == &base_ ? own.base : own.head;
            if (objects.empty() || !packet)
                continue;
            const auto [program, whose, unsure] =
                ir::HostNetwork(side->cluster).governor(objects.front(), cause.direction, family_);
            if (program == nullptr || unsure)
                continue;
            const ProgramFlows flows(side->cluster.program(program->program), atoms_);
            const auto same = of_same_policy(
                *program, set_trail(flows, side->identity(source), side->identity(to)),
                cause.direction, *packet);
            out = same ? out & *same : out;
        }
    return out;
}

void CauseSplitter::add_by_connections(FlowChange change, std::vector<FlowChange>& out) const {
    for (std::size_t parts = 1; parts < kMostParts && !change.causes.empty(); ++parts) {
        const ConnectionSet alike = decided_alike(change);
        ConnectionSet rest = change.connections - alike;
        if (alike.empty() || rest.empty())
            break;
        FlowChange others = change;
        others.connections = std::move(rest);
        change.connections = alike;
        out.push_back(std::move(change));
        change = explained(others, others.sources, others.destinations);
    }
    out.push_back(std::move(change));
}

std::vector<FlowChange> CauseSplitter::split(FlowChange whole) {
    std::vector<FlowChange> out;
    const std::uint32_t first = whole.sources.front();
    asked_ += whole.destinations.size();
    if (asked_ > kMostPairs)
        return {explained(whole, whole.sources, whole.destinations)};
    for (Ends& destinations : by_cause(whole.destinations, [&](std::uint32_t to) {
             return explained(whole, {first}, {to});
         })) {
        asked_ += whole.sources.size();
        for (Ends& sources : by_cause(whole.sources, [&](std::uint32_t from) {
                 return explained(whole, {from}, {destinations.front()});
             }))
            add_by_connections(explained(whole, std::move(sources), destinations), out);
    }
    return out;
}

} // namespace polecat::analyzer
