#include "analyzer/effects/runs.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace polecat::analyzer {

using decision::Attribution;
using decision::Direction;
using decision::PolicyBlock;
using decision::Program;

namespace {

void add_rules(const Program& program, const Attribution& slots, const PolicyBlock& block,
               Units& out) {
    const auto& entries = program.stages[block.stage].entries;
    for (std::uint32_t i = block.first; i < block.first + block.count;) {
        const std::uint32_t slot = entries[i].slot.value;
        const std::uint32_t rule = slots[slot].rule_index;
        std::uint32_t end = i;
        while (end < block.first + block.count && slots[entries[end].slot.value].rule_index == rule)
            ++end;
        out.units.push_back({block.stage, i, end - i, false});
        out.meanings.push_back({Meaning::Kind::Rule, slot});
        i = end;
    }
}

Units units_of(const Program& program, const Attribution& slots) {
    Units out;
    std::vector<std::size_t> enforced(program.stages.size(), 0);
    for (const PolicyBlock& block : slots.policies())
        enforced[block.stage] += block.staged ? 0 : 1;
    for (std::uint32_t i = 0; i < slots.policies().size(); ++i) {
        const PolicyBlock& block = slots.policies()[i];
        if (block.staged)
            continue;
        add_rules(program, slots, block, out);
        out.units.push_back({block.stage, block.first, block.count, enforced[block.stage] == 1});
        out.meanings.push_back({Meaning::Kind::Policy, i});
    }
    for (std::uint32_t stage = 0; stage < program.stages.size(); ++stage)
        if (enforced[stage] != 0) {
            const Program& p = program;
            out.units.push_back(
                {stage, 0, static_cast<std::uint32_t>(p.stages[stage].entries.size()), true});
            out.meanings.push_back({Meaning::Kind::Tier, p.stages[stage].end_slot.value});
        }
    out.units.shrink_to_fit(); // those of all programs are kept
    out.meanings.shrink_to_fit();
    return out;
}

} // namespace

EffectRuns::EffectRuns(const decision::LoweredCluster& cluster,
                       const decision::Identities& identities, net::Family family)
    : cluster_(cluster), ends_(cluster, identities, family) {
    collect();
}

void EffectRuns::collect() {
    const auto before = [this](std::size_t a, std::size_t b) {
        return std::tie(runs_[a].program, runs_[a].units) <
               std::tie(runs_[b].program, runs_[b].units);
    };
    std::set<std::size_t, decltype(before)> known(before);
    // Many groups have one attribution: it is cut into units once. nullopt: nothing is.
    std::map<std::pair<std::uint32_t, const void*>, std::optional<std::size_t>> runs;
    for (const decision::Group& group : cluster_.groups)
        for (const auto& [key, each] : group.programs) {
            if (key.family != ends_.family())
                continue;
            const auto [seen, first] =
                runs.try_emplace({each.program.value, each.slots.identity()});
            if (first) {
                Units units = units_of(cluster_.program(each.program), each.slots);
                if (units.units.empty())
                    continue;
                runs_.push_back({each.program, std::move(units), {}, {}, {}});
                const auto [place, added] = known.insert(runs_.size() - 1);
                if (!added)
                    runs_.pop_back();
                runs_[*place].attributions.push_back(each.slots);
                seen->second = *place;
            }
            if (!seen->second)
                continue;
            for (const decision::ObjectId member : group.members)
                if (const auto own = ends_.group_of(member))
                    runs_[*seen->second].own.insert(*own);
        }
}

std::vector<std::uint32_t> EffectRuns::few_others(const Program& program) const {
    const auto last = static_cast<std::uint32_t>(ends_.list().size()) - 1;
    std::vector<std::uint32_t> out{last, last / 2, 0}; // an address, endpoints
    for (const decision::Stage& stage : program.stages)
        for (const decision::Entry& entry : stage.entries) {
            const bool egress = program.direction == Direction::Egress;
            const auto& all = (egress ? entry.match->destination : entry.match->source).all;
            const auto group = all.empty() ? std::nullopt : ends_.example_of(all.front());
            if (group && out.size() < 32)
                out.push_back(*group);
        }
    return out;
}

std::optional<std::vector<decision::ObjectId>> EffectRuns::own_objects(const Run& run) const {
    if (any_is_own(run))
        return std::nullopt;
    std::vector<decision::ObjectId> out;
    for (const std::uint32_t group : run.own) {
        const auto& objects = ends_.list()[group].objects;
        out.insert(out.end(), objects.begin(), objects.end());
    }
    return out;
}

ProgramEnds& EffectRuns::view_of(const Run& run) {
    const Program& wanted = program(run);
    if (!view_ || &view_->program() != &wanted)
        view_.emplace(wanted, ends_);
    return *view_;
}

} // namespace polecat::analyzer
