#include "analyzer/effects_walk.h"

#include <algorithm>

namespace polecat::analyzer {

using decision::Action;
using decision::Identity;
using decision::Stage;
using decision::StageEnd;

void EffectsWalk::forward(const Identity& source, const Identity& destination) {
    const decision::Program& program = flows_.program();
    stages_.assign(program.stages.size(), {});
    certain_ = true;
    ConnectionSet rest = ConnectionSet::all();
    for (std::size_t i = 0; i < program.stages.size(); ++i) {
        const Stage& stage = program.stages[i];
        StageWalk& walk = stages_[i];
        walk.arriving = rest;
        ConnectionSet passed;
        for (std::uint32_t e = 0; e < stage.entries.size(); ++e) {
            const decision::Entry& entry = stage.entries[e];
            if (entry.staged)
                continue;
            auto sets = flows_.entry(i, e, source, destination);
            if (!sets || sets->may.empty())
                continue;
            certain_ = certain_ && sets->yes == sets->may;
            walk.live.push_back({e, std::move(*sets), rest, {}});
            const EntrySets& found = walk.live.back().sets;
            if (entry.action == Action::Log)
                continue;
            if (entry.action == Action::Pass)
                passed = passed | (rest & found.may);
            rest = rest - found.yes;
        }
        walk.leaving = rest;
        rest = stage.end == StageEnd::Next ? rest | passed : passed;
    }
}

const ConnectionSet& EffectsWalk::allowed_from(std::size_t stage) const {
    return stage < stages_.size() ? stages_[stage].allowed : otherwise_;
}

/// From the end: what would be allowed of all packets, had they come this far.
void EffectsWalk::backward() {
    const decision::Program& program = flows_.program();
    otherwise_ = program.otherwise == Action::Allow ? ConnectionSet::all() : ConnectionSet{};
    for (std::size_t i = stages_.size(); i-- > 0;) {
        const Stage& stage = program.stages[i];
        StageWalk& walk = stages_[i];
        walk.allowed_at_end = stage.end == StageEnd::Next ? allowed_from(i + 1) : ConnectionSet{};
        ConnectionSet allowed = walk.allowed_at_end;
        for (std::size_t at = walk.live.size(); at-- > 0;) {
            Live& live = walk.live[at];
            const Action action = stage.entries[live.entry].action;
            if (action == Action::Allow)
                allowed = allowed | live.sets.yes;
            else if (action == Action::Deny)
                allowed = allowed - live.sets.yes;
            else if (action == Action::Pass)
                allowed = (allowed - live.sets.yes) | (allowed_from(i + 1) & live.sets.yes);
            live.allowed = allowed;
        }
        walk.allowed = std::move(allowed);
    }
}

std::size_t EffectsWalk::first_live(const StageWalk& stage, std::uint32_t entry) const {
    const auto place = std::partition_point(stage.live.begin(), stage.live.end(),
                                            [&](const Live& live) { return live.entry < entry; });
    return static_cast<std::size_t>(place - stage.live.begin());
}

/// Would a verdict change if the unit were not there?
bool EffectsWalk::changes(const Unit& unit) const {
    const StageWalk& stage = stages_[unit.stage];
    const auto differ = [](const ConnectionSet& arriving, const ConnectionSet& with,
                           const ConnectionSet& without) {
        return (arriving & with) != (arriving & without);
    };
    if (unit.whole_stage)
        return differ(stage.arriving, stage.allowed, allowed_from(unit.stage + 1));
    const auto allowed_at = [&](std::size_t at) -> const ConnectionSet& {
        return at < stage.live.size() ? stage.live[at].allowed : stage.allowed_at_end;
    };
    const std::size_t from = first_live(stage, unit.first);
    const std::size_t to = first_live(stage, unit.first + unit.count);
    return from != to && differ(stage.live[from].arriving, allowed_at(from), allowed_at(to));
}

void EffectsWalk::judge(const Unit& unit, UnitEffect& effect) const {
    const StageWalk& stage = stages_[unit.stage];
    const std::size_t from = first_live(stage, unit.first);
    const std::size_t to = first_live(stage, unit.first + unit.count);
    bool decides = false;
    effect.matches = effect.matches || from != to;
    for (std::size_t i = from; i < to && !decides; ++i)
        decides = !(stage.live[i].arriving & stage.live[i].sets.may).empty();
    effect.decides = effect.decides || decides;
    effect.reached =
        effect.reached ||
        !(from < stage.live.size() ? stage.live[from].arriving : stage.leaving).empty();
    if (effect.needed)
        return;
    // Where something is not known, nothing is called superfluous that may decide.
    if (!certain_)
        effect.needed = decides || (unit.whole_stage && !stage.arriving.empty());
    else
        effect.needed = changes(unit);
}

void EffectsWalk::between(const Identity& source, const Identity& destination,
                          std::vector<UnitEffect>& effects) {
    forward(source, destination);
    if (certain_)
        backward();
    for (std::size_t i = 0; i < units_.size(); ++i)
        judge(units_[i], effects[i]);
}

std::vector<EffectsWalk::Taken> EffectsWalk::taken_from(std::uint32_t number) const {
    const Unit& unit = units_[number];
    ConnectionSet wanted;
    const StageWalk& own = stages_[unit.stage];
    for (const Live& live : own.live)
        if (live.entry >= unit.first && live.entry < unit.first + unit.count)
            wanted = wanted | live.sets.may;
    std::vector<Taken> out;
    for (std::uint32_t i = 0; i < units_.size(); ++i) {
        const Unit& other = units_[i];
        if (other.whole_stage || other.stage > unit.stage ||
            (other.stage == unit.stage && other.first >= unit.first))
            continue;
        ConnectionSet taken;
        for (const Live& live : stages_[other.stage].live)
            if (live.entry >= other.first && live.entry < other.first + other.count &&
                flows_.program().stages[other.stage].entries[live.entry].action != Action::Log)
                taken = taken | (live.arriving & live.sets.may & wanted);
        if (!taken.empty())
            out.push_back({i, std::move(taken)});
    }
    return out;
}

} // namespace polecat::analyzer
