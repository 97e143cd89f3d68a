#include "analyzer/effects/walk.h"

#include <algorithm>

#include "analyzer/flows/stage_walk.h"

namespace polecat::analyzer {

using decision::Action;
using decision::Identity;
using decision::Stage;
using decision::StageEnd;

/// As LiveEntries finds what may match.
bool add_required(const decision::Program& program, const Unit& unit,
                  std::vector<decision::PredicateId>& out) {
    const bool egress = program.direction == decision::Direction::Egress;
    const auto& entries = program.stages[unit.stage].entries;
    for (std::uint32_t e = unit.first; e < unit.first + unit.count; ++e) {
        const decision::Match& match = *entries[e].match;
        const auto& all = (egress ? match.destination : match.source).all;
        if (all.empty() && !entries[e].staged)
            return false;
        if (!entries[e].staged)
            out.push_back(all.front());
    }
    return true;
}

EffectsWalk::EffectsWalk(const decision::Program& program, const std::vector<Unit>& units,
                         MatchSets& sets, bool all_known)
    : program_(program), units_(units), sets_(sets), store_(sets.store()), all_known_(all_known),
      entries_(program, sets), stages_(program.stages.size()), hidden_(units.size()) {
    find_hidden();
}

namespace {

/// The rules of a stage that take every packet between any ends.
struct Takers {
    std::uint32_t first = UINT32_MAX, last = 0; ///< entries
    bool allows_all = false; ///< the last one allows, and so does every entry before it
    bool only_allows = true; ///< no entry denies or passes

    explicit Takers(const Stage& stage) {
        for (std::uint32_t e = 0; e < stage.entries.size(); ++e) {
            const decision::Entry& entry = stage.entries[e];
            if (entry.staged || entry.action == Action::Log)
                continue;
            only_allows = only_allows && entry.action == Action::Allow;
            if (*entry.match != decision::Match{})
                continue;
            first = std::min(first, e);
            last = e;
            allows_all = only_allows;
        }
    }
};

} // namespace

/// Nothing comes to what follows a rule that takes everything. Where a stage allows everything
/// anyway, no rule that allows is needed; nor is the stage, where the next one does so too.
void EffectsWalk::find_hidden() {
    bool later_allows_all = program_.otherwise == Action::Allow;
    for (std::size_t i = program_.stages.size(); i-- > 0;) {
        const Takers takers(program_.stages[i]);
        const bool allows_all = all_known_ && takers.allows_all;
        stages_[i].only_allows = takers.only_allows;
        for (std::size_t u = 0; u < units_.size(); ++u) {
            const Unit& unit = units_[u];
            if (unit.stage != i)
                continue;
            UnitEffect& hidden = hidden_[u];
            if (unit.whole_stage)
                hidden.needed = allows_all && later_allows_all;
            else if (takers.first < unit.first)
                hidden = {false, true, true, true};
            else
                hidden.needed = allows_all && takers.last >= unit.first + unit.count;
        }
        later_allows_all = allows_all;
    }
}

bool EffectsWalk::meet(const Identity& source, const Identity& destination) {
    const std::vector<LiveEntries::Live>& live = entries_.between(source, destination);
    if (!met_.insert(live).second)
        return false;
    for (StageWalk& stage : stages_)
        stage.live.clear();
    certain_ = true;
    for (const LiveEntries::Live& each : live) {
        stages_[each.stage].live.push_back({each.entry, each.sets, 0, 0});
        certain_ = certain_ && each.sets.is_certain();
    }
    return true;
}

bool EffectsWalk::matches(const Unit& unit) const {
    const StageWalk& stage = stages_[unit.stage];
    const std::size_t first = first_live(stage, unit.first);
    return first < stage.live.size() && stage.live[first].entry < unit.first + unit.count;
}

/// Notes what comes to the entries that match, and to the stages.
struct EffectsWalk::Follow {
    static constexpr bool kWholeProgram = true;
    EffectsWalk& of;
    Live* now = nullptr;

    template <class Act> void each(std::size_t stage, const Act& act) {
        for (Live& live : of.stages_[stage].live) {
            now = &live;
            act(live.entry, live.sets);
        }
    }
    void begin(std::size_t stage, Id rest) { of.stages_[stage].arriving = rest; }
    void entry(std::size_t, std::size_t, const SetBounds&, Id rest) { now->arriving = rest; }
    void end(std::size_t stage, Id rest) { of.stages_[stage].leaving = rest; }
    void finish(Id) {}
};

void EffectsWalk::follow() {
    Follow walker{*this};
    walk_stages(program_, StoredSets{store_, sets_.everything()}, walker);
}

EffectsWalk::Id EffectsWalk::allowed_from(std::size_t stage) const {
    return stage < stages_.size() ? stages_[stage].allowed : otherwise_;
}

/// From the end: what would be allowed of all packets, had they come this far.
void EffectsWalk::backward() {
    otherwise_ = program_.otherwise == Action::Allow ? sets_.everything() : 0;
    for (std::size_t i = stages_.size(); i-- > 0;) {
        const Stage& stage = program_.stages[i];
        StageWalk& walk = stages_[i];
        walk.allowed_at_end = stage.end == StageEnd::Next ? allowed_from(i + 1) : 0;
        Id allowed = walk.allowed_at_end;
        for (std::size_t at = walk.live.size(); at-- > 0;) {
            Live& live = walk.live[at];
            const Action action = stage.entries[live.entry].action;
            if (action != Action::Log)
                allowed = store_.subtract(allowed, live.sets.sure);
            if (action == Action::Allow)
                allowed = store_.unite(allowed, live.sets.sure);
            else if (action == Action::Pass)
                allowed =
                    store_.unite(allowed, store_.intersect(allowed_from(i + 1), live.sets.sure));
            live.allowed = allowed;
        }
        walk.allowed = allowed;
    }
}

std::size_t EffectsWalk::first_live(const StageWalk& stage, std::uint32_t entry) const {
    const auto place = std::partition_point(stage.live.begin(), stage.live.end(),
                                            [&](const Live& live) { return live.entry < entry; });
    return static_cast<std::size_t>(place - stage.live.begin());
}

std::span<const EffectsWalk::Live> EffectsWalk::lives_of(const Unit& unit) const {
    const StageWalk& stage = stages_[unit.stage];
    const std::size_t from = first_live(stage, unit.first);
    return std::span(stage.live).subspan(from, first_live(stage, unit.first + unit.count) - from);
}

/// Would a verdict change if the unit were not there? It matches the entries [from, to).
bool EffectsWalk::changes(const Unit& unit, std::size_t from, std::size_t to) {
    const StageWalk& stage = stages_[unit.stage];
    const auto differ = [this](Id arriving, Id with, Id without) {
        return store_.intersect(arriving, with) != store_.intersect(arriving, without);
    };
    if (unit.whole_stage)
        return differ(stage.arriving, stage.allowed, allowed_from(unit.stage + 1));
    const auto allowed_at = [&](std::size_t at) {
        return at < stage.live.size() ? stage.live[at].allowed : stage.allowed_at_end;
    };
    return from != to && differ(stage.live[from].arriving, allowed_at(from), allowed_at(to));
}

void EffectsWalk::judge(const Unit& unit, UnitEffect& effect) {
    const StageWalk& stage = stages_[unit.stage];
    const std::size_t from = first_live(stage, unit.first);
    const std::size_t to = first_live(stage, unit.first + unit.count);
    bool decides = false;
    effect.matches = effect.matches || from != to;
    for (std::size_t i = from; i < to && !decides; ++i)
        decides = store_.intersect(stage.live[i].arriving, stage.live[i].sets.may) != 0;
    effect.decides = effect.decides || decides;
    effect.reached = effect.reached ||
                     (from < stage.live.size() ? stage.live[from].arriving : stage.leaving) != 0;
    if (effect.needed)
        return;
    // Where something is not known, nothing is called superfluous that may decide.
    if (!certain_)
        effect.needed = decides || (unit.whole_stage && stage.arriving != 0);
    else
        effect.needed = changes(unit, from, to);
}

/// A rule or a policy that no packet between these ends matches changes nothing; nor does a stage
/// that passes on whatever comes to its end, where everything is known.
bool EffectsWalk::may_add(std::size_t unit, const UnitEffect& effect) const {
    return is_open(unit, effect) && (any_may_add(unit, effect) || matches(units_[unit]));
}

bool EffectsWalk::any_may_add(std::size_t unit, const UnitEffect& effect) const {
    const UnitEffect& hidden = hidden_[unit];
    const bool ends_here = program_.stages[units_[unit].stage].end != StageEnd::Next;
    return !(effect.reached || hidden.reached) ||
           (units_[unit].whole_stage && (ends_here || !all_known_) &&
            !(effect.needed || hidden.needed));
}

/// Whether something that is not hidden was not seen yet.
bool EffectsWalk::is_open(std::size_t unit, const UnitEffect& effect) const {
    const UnitEffect& hidden = hidden_[unit];
    return !(effect.matches && (effect.decides || hidden.decides) &&
             (effect.reached || hidden.reached) && (effect.needed || hidden.needed));
}

bool EffectsWalk::wants_any(const std::vector<UnitEffect>& effects) const {
    for (std::size_t i = 0; i < units_.size(); ++i)
        if (is_open(i, effects[i]) && any_may_add(i, effects[i]))
            return true;
    return false;
}

std::optional<std::vector<decision::PredicateId>>
EffectsWalk::still_wanted(const std::vector<UnitEffect>& effects) const {
    std::vector<decision::PredicateId> out;
    for (std::size_t i = 0; i < units_.size(); ++i) {
        if (is_open(i, effects[i]) &&
            (any_may_add(i, effects[i]) || !add_required(program_, units_[i], out)))
            return std::nullopt;
    }
    return out;
}

/// Spares most walks: one other rule alone shows that the unit does nothing between these ends. It
/// comes before it and takes all that it matches; or the stage only allows, and it allows as much.
bool EffectsWalk::is_covered(std::size_t number, const UnitEffect& effect) {
    const Unit& unit = units_[number];
    const UnitEffect& hidden = hidden_[number];
    if (unit.whole_stage || !effect.matches || !(effect.reached || hidden.reached))
        return false;
    const StageWalk& stage = stages_[unit.stage];
    const std::size_t from = first_live(stage, unit.first);
    const std::size_t to = first_live(stage, unit.first + unit.count);
    const bool only_needed = effect.decides || hidden.decides;
    const std::size_t end = only_needed && certain_ && stage.only_allows ? stage.live.size() : from;
    const auto covers = [&](std::size_t other, const Live& live) {
        return (other < from || other >= to) &&
               program_.stages[unit.stage].entries[stage.live[other].entry].action != Action::Log &&
               store_.subtract(live.sets.may, stage.live[other].sets.sure) == 0;
    };
    for (std::size_t i = from; i < to; ++i) {
        std::size_t other = 0;
        while (other < end && !covers(other, stage.live[i]))
            ++other;
        if (other == end)
            return false;
    }
    return true;
}

bool EffectsWalk::between(const Identity& source, const Identity& destination,
                          std::vector<UnitEffect>& effects) {
    if (!meet(source, destination))
        return open_;
    open_ = false;
    judged_.clear();
    for (std::uint32_t i = 0; i < units_.size(); ++i) {
        open_ = open_ || is_open(i, effects[i]);
        if (may_add(i, effects[i]) && !is_covered(i, effects[i]))
            judged_.push_back(i);
    }
    if (judged_.empty())
        return open_;
    follow();
    if (certain_)
        backward();
    for (const std::uint32_t i : judged_)
        judge(units_[i], effects[i]);
    return true; // perhaps
}

SetStore::Id EffectsWalk::disagreement(std::uint32_t first, std::uint32_t second) {
    const auto& entries = program_.stages[units_[first].stage].entries;
    Id out = 0;
    for (const Live& x : lives_of(units_[first]))
        for (const Live& y : lives_of(units_[second])) {
            const Action mine = entries[x.entry].action, theirs = entries[y.entry].action;
            if (mine != theirs && mine != Action::Log && theirs != Action::Log)
                out = store_.unite(
                    out, store_.intersect(store_.intersect(x.arriving, x.sets.sure), y.sets.sure));
        }
    return out;
}

SetStore::Id EffectsWalk::overruled(std::uint32_t first, std::uint32_t second) {
    const Unit& a = units_[first];
    const Unit& b = units_[second];
    const auto& entries = program_.stages[a.stage].entries;
    const auto& later = program_.stages[b.stage].entries;
    Id out = 0;
    for (const Action action : {Action::Allow, Action::Deny}) {
        Id rest = 0; // what the first decides so
        for (const Live& live : lives_of(a))
            if (entries[live.entry].action == action)
                rest = store_.unite(rest, store_.intersect(live.arriving, live.sets.sure));
        for (const Live& live : stages_[b.stage].live) {
            const Action theirs = later[live.entry].action;
            if (rest == 0 || theirs == Action::Log)
                continue;
            if (theirs != Action::Pass && theirs != action && live.entry >= b.first &&
                live.entry < b.first + b.count)
                out = store_.unite(out, store_.intersect(rest, live.sets.sure));
            rest = store_.subtract(rest, live.sets.may);
        }
    }
    return out;
}

std::vector<EffectsWalk::Taken> EffectsWalk::taken_from(std::uint32_t number) {
    const Unit& unit = units_[number];
    Id wanted = 0;
    for (const Live& live : lives_of(unit))
        wanted = store_.unite(wanted, live.sets.may);
    std::vector<Taken> out;
    for (std::uint32_t i = 0; i < units_.size(); ++i) {
        const Unit& other = units_[i];
        if (other.whole_stage && other.stage < unit.stage &&
            program_.stages[other.stage].end == decision::StageEnd::Deny)
            if (const Id denied = store_.intersect(stages_[other.stage].leaving, wanted))
                out.push_back({i, denied});
        if (other.whole_stage || other.stage > unit.stage ||
            (other.stage == unit.stage && other.first >= unit.first))
            continue;
        Id taken = 0;
        for (const Live& live : lives_of(other)) {
            const Action action = program_.stages[other.stage].entries[live.entry].action;
            // What an earlier stage passes comes on.
            const bool takes =
                action != Action::Log && (action != Action::Pass || other.stage == unit.stage);
            if (takes)
                taken = store_.unite(
                    taken,
                    store_.intersect(store_.intersect(live.arriving, live.sets.sure), wanted));
        }
        if (taken != 0)
            out.push_back({i, taken});
    }
    return out;
}

} // namespace polecat::analyzer
