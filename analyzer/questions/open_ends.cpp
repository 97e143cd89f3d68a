#include "analyzer/questions/open_ends.h"

#include <algorithm>

#include "analyzer/diff/cause.h"
#include "ir/path/host_network.h"
#include "ir/path/path.h"

namespace polecat::analyzer {

using decision::Direction;
using decision::ObjectId;

Questions::Questions(const decision::LoweredCluster& cluster, const ConnectivityMap& map)
    : cluster_(cluster), map_(map) {}

namespace {

bool asked_for(const AskedEnds& asked, ObjectId id, const decision::World& world) {
    if (asked.any ||
        std::find(asked.objects.begin(), asked.objects.end(), id) != asked.objects.end())
        return true;
    const auto& held = world.object(id).addresses;
    return std::any_of(held.begin(), held.end(),
                       [&](const net::Address& each) { return asked.addresses.contains(each); });
}

} // namespace

std::vector<Party> Questions::parties(const AskedEnds& asked, const AskedEnds& other) const {
    std::vector<Party> out;
    ir::HostNetwork nodes(cluster_);
    const auto& groups = map_.groups();
    for (std::uint32_t i = 0; i < groups.size(); ++i) {
        if (groups[i].is_outside()) {
            auto outside = asked.any || asked.outside ? groups[i].outside
                                                      : groups[i].outside & asked.addresses;
            if (asked.outside_in)
                outside = outside & *asked.outside_in;
            if (!outside.empty())
                out.push_back({i, {}, outside, nullptr, nullptr, false});
            continue;
        }
        // Ends of a group share programs; the rules behind these may have other names.
        std::map<std::tuple<const void*, const void*, std::uint32_t>, std::size_t> by_rules;
        for (const ObjectId id : groups[i].objects) {
            if (!asked_for(asked, id, cluster_.world))
                continue;
            const auto* egress = nodes.governor(id, Direction::Egress, family()).program;
            const auto* ingress = nodes.governor(id, Direction::Ingress, family()).program;
            // Alone where it may be its own other end, which is no pair.
            const bool alone = !(asked.any && other.any) && asked_for(other, id, cluster_.world);
            const std::tuple<const void*, const void*, std::uint32_t> key{
                egress != nullptr ? egress->slots.identity() : nullptr,
                ingress != nullptr ? ingress->slots.identity() : nullptr, alone ? id.value + 1 : 0};
            const auto [place, added] = by_rules.try_emplace(key, out.size());
            if (added)
                out.push_back({i, {}, {}, egress, ingress, groups[i].unsure});
            out[place->second].objects.push_back(id);
        }
    }
    return out;
}

namespace {

using Buckets = std::vector<Answer>; ///< of one outer party; `from` or `to` empty

/// An endpoint and itself.
bool is_self(const Party& a, const Party& b) {
    return a.objects.size() == 1 && a.objects == b.objects;
}

bool same(const Buckets& a, const Buckets& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Answer& x, const Answer& y) {
        return x.from == y.from && x.to == y.to && x.connections == y.connections;
    });
}

} // namespace

Answers Questions::ask(const AskedEnds& from, const AskedEnds& to, const ConnectionSet& traffic,
                       bool denied) const {
    Answers out{parties(from, to), parties(to, from), {}};
    // One block of rows for each asked party; those that are answered alike are joined.
    const bool outer_is_source = !from.any || to.any;
    const auto& outer = outer_is_source ? out.from : out.to;
    const auto& inner = outer_is_source ? out.to : out.from;
    std::vector<std::pair<std::vector<std::uint32_t>, Buckets>> blocks;
    for (std::uint32_t i = 0; i < outer.size(); ++i) {
        Buckets buckets;
        std::map<SetBounds, std::size_t> known;
        for (std::uint32_t j = 0; j < inner.size(); ++j) {
            if (is_self(outer[i], inner[j]) || (outer[i].is_outside() && inner[j].is_outside()))
                continue;
            const auto pair = outer_is_source ? map_.between(outer[i].group, inner[j].group)
                                              : map_.between(inner[j].group, outer[i].group);
            const auto place = known.find(pair);
            std::size_t bucket = place == known.end() ? buckets.size() : place->second;
            if (place == known.end()) {
                Answer answer{
                    {}, {}, {map_.set(pair.sure) & traffic, map_.set(pair.may) & traffic}};
                // Sets that differ elsewhere may be alike as far as was asked.
                for (std::size_t k = 0; k < buckets.size(); ++k)
                    if (buckets[k].connections == answer.connections)
                        bucket = k;
                known.emplace(pair, bucket);
                if (bucket == buckets.size())
                    buckets.push_back(std::move(answer));
            }
            (outer_is_source ? buckets[bucket].to : buckets[bucket].from).push_back(j);
        }
        if (!denied)
            std::erase_if(buckets, [](const Answer& each) { return each.connections.may.empty(); });
        const auto like = std::find_if(blocks.begin(), blocks.end(), [&](const auto& block) {
            return same(block.second, buckets);
        });
        if (like == blocks.end())
            blocks.emplace_back(std::vector<std::uint32_t>{i}, std::move(buckets));
        else
            like->first.push_back(i);
    }
    for (auto& [parties, buckets] : blocks)
        for (Answer& answer : buckets) {
            (outer_is_source ? answer.from : answer.to) = parties;
            out.rows.push_back(std::move(answer));
        }
    return out;
}

ProgramView<ProgramFlows>& Questions::view(decision::ProgramId id) {
    const auto found = views_.find(id.value);
    if (found != views_.end())
        return found->second;
    const decision::Program& program = cluster_.program(id);
    return views_.try_emplace(id.value, program, ProgramFlows(program, map_.http()), map_.ends())
        .first->second;
}

const std::vector<SetStep>* Questions::trail(const Party& from, const Party& to,
                                             Direction direction) {
    const bool egress = direction == Direction::Egress;
    const auto* program = egress ? from.egress : to.ingress;
    if (program == nullptr)
        return nullptr;
    auto& seen = view(program->program);
    const Key key{program->program.value, program->slots.identity(),
                  seen.own_class_of(egress ? from.group : to.group),
                  seen.class_of(egress ? to.group : from.group)};
    const auto found = trails_.find(key);
    if (found != trails_.end())
        return &found->second;
    return &trails_
                .emplace(key, set_trail(seen.flows(), map_.ends().identity(from.group),
                                        map_.ends().identity(to.group)))
                .first->second;
}

std::string Questions::doubt(const Party& from, const Party& to,
                             const ConnectionSet& unsure) const {
    const auto example = example_of(unsure, map_.http(), family());
    if (!example)
        return "";
    ir::PathQuery query;
    query.packet = *example;
    query.family = family();
    const auto end = [](const Party& party) {
        ir::PathEnd out;
        if (party.is_outside())
            out.address = example_address(party.outside);
        else
            out.endpoint = party.objects.front();
        return out;
    };
    query.source = end(from);
    query.destination = end(to);
    return ir::judge_flow(cluster_, query).reason;
}

} // namespace polecat::analyzer
