#include "analyzer/effects/reasons.h"

#include <algorithm>

namespace polecat::analyzer {

using decision::Attribution;
using decision::Direction;
using decision::Identity;
using decision::PolicyBlock;
using decision::Program;
using decision::Slot;

RuleKey rule_key(const Slot& slot, Direction direction) {
    return {slot.policy, direction, slot.rule_index};
}

std::string name_of(const decision::World& world, const EndGroups& ends, std::uint32_t number,
                    bool other) {
    const EndGroup& group = ends.list()[number];
    if (group.is_outside()) {
        const auto& ranges = group.outside.ranges();
        return net::to_string(other ? ranges.back().last : ranges.front().first);
    }
    const std::size_t at = other && group.objects.size() > 1 ? 1 : 0;
    return world.object(group.objects[at]).name;
}

namespace {

bool is_kubernetes(policy::PolicyKind kind) {
    return kind == policy::PolicyKind::KubernetesNetworkPolicy;
}

template <class T> void add_once(std::vector<T>& list, const T& item) {
    if (std::find(list.begin(), list.end(), item) == list.end())
        list.push_back(item);
}

/// A bit for each but Log.
unsigned actions(const Program& program, const Unit& unit) {
    unsigned out = 0;
    for (std::uint32_t e = unit.first; e < unit.first + unit.count; ++e)
        out |= 1u << static_cast<unsigned>(program.stages[unit.stage].entries[e].action);
    return out & ~(1u << static_cast<unsigned>(decision::Action::Log));
}

} // namespace

// --- policies of one order that disagree ---------------------------------------------------------

/// Pairs of policies, the first one before the second, of which `holds` says so.
template <class Holds>
EffectReasons::Pairs EffectReasons::pairs_of(const Run& run, const Holds& holds) {
    Pairs out;
    const auto is_policy = [&](std::uint32_t unit) {
        return run.units.meanings[unit].kind == Meaning::Kind::Policy;
    };
    for (std::uint32_t i = 0; i < run.units.units.size(); ++i)
        for (std::uint32_t j = i + 1; is_policy(i) && j < run.units.units.size(); ++j) {
            Pair pair{i, j, {}};
            for (const Attribution& slots : run.attributions)
                if (is_policy(j) && holds(slots.policies()[run.units.meanings[i].number],
                                          slots.policies()[run.units.meanings[j].number], pair))
                    pair.of.push_back(&slots);
            if (!pair.of.empty())
                out.push_back(std::move(pair));
        }
    return out;
}

/// Those whose order nothing but their names decides.
EffectReasons::Pairs EffectReasons::ties(const Run& run, const Program& program) {
    std::vector<unsigned> says;
    for (const Unit& unit : run.units.units)
        says.push_back(actions(program, unit));
    return pairs_of(run, [&](const PolicyBlock& a, const PolicyBlock& b, const Pair& units) {
        const unsigned first = says[units.first], second = says[units.second];
        return first != second && first != 0 && second != 0 && a.stage == b.stage &&
               a.order == b.order;
    });
}

/// Policies of Calico before a ClusterNetworkPolicy of a later tier.
EffectReasons::Pairs EffectReasons::before_cluster_policies(const Run& run) {
    using policy::PolicyKind;
    return pairs_of(run, [](const PolicyBlock& a, const PolicyBlock& b, const Pair&) {
        return a.stage < b.stage && b.policy.kind == PolicyKind::KubernetesClusterNetworkPolicy &&
               (a.policy.kind == PolicyKind::NetworkPolicy ||
                a.policy.kind == PolicyKind::GlobalNetworkPolicy);
    });
}

EffectReasons::Names EffectReasons::names_of(const Run& run, const Pair& pair,
                                             const Attribution& slots) {
    const auto name = [&](std::uint32_t unit) {
        return slots.policies()[run.units.meanings[unit].number].policy;
    };
    return {name(pair.first), name(pair.second)};
}

/// Those of which another program has shown it.
void EffectReasons::drop_known(const Run& run, Pairs& pairs, const Examples& known) {
    std::erase_if(pairs, [&](const Pair& pair) {
        return std::all_of(pair.of.begin(), pair.of.end(), [&](const Attribution* slots) {
            return known.contains(names_of(run, pair, *slots));
        });
    });
}

/// What an other end has that both policies of a pair match; nullopt: it may be any.
std::optional<Predicates> EffectReasons::required(const Run& run, const Program& program,
                                                  std::initializer_list<const Pairs*> lists) {
    Predicates out;
    for (const Pairs* pairs : lists)
        for (const Pair& pair : *pairs)
            if (!add_required(program, run.units.units[pair.first], out) &&
                !add_required(program, run.units.units[pair.second], out))
                return std::nullopt;
    return out;
}

template <class FlowsOf>
void EffectReasons::settle(const EffectRuns& runs, const Run& run, Pairs& open, Examples& into,
                           Ends ends, const FlowsOf& flows_of) const {
    std::erase_if(open, [&](const Pair& pair) {
        const SetStore::Id common = flows_of(pair);
        if (common != 0)
            for (const Attribution* slots : pair.of)
                into.emplace(names_of(run, pair, *slots),
                             example_of(*slots, runs, run, ends, matches_.store()[common]));
        return common != 0;
    });
}

void EffectReasons::find_conflicts(EffectRuns& runs, const Run& run) {
    if (!runs.has_ends(run))
        return;
    const Program& program = runs.program(run);
    Pairs tied = ties(run, program), before = before_cluster_policies(run);
    drop_known(run, tied, out_.conflicts);
    drop_known(run, before, out_.overruled);
    if (tied.empty() && before.empty())
        return;
    EffectsWalk walk(program, run.units.units, matches_);
    runs.each_pair(run, required(run, program, {&tied, &before}),
                   [&](const Identity& source, const Identity& destination, std::uint32_t from,
                       std::uint32_t to) {
                       if (!walk.meet(source, destination))
                           return true;
                       walk.follow();
                       settle(runs, run, tied, out_.conflicts, {from, to}, [&](const Pair& pair) {
                           return walk.disagreement(pair.first, pair.second);
                       });
                       settle(runs, run, before, out_.overruled, {from, to}, [&](const Pair& pair) {
                           return walk.overruled(pair.first, pair.second);
                       });
                       return !tied.empty() || !before.empty();
                   });
}

FlowExample EffectReasons::example(const EndGroups& ends, Ends of,
                                   const ConnectionSet& flows) const {
    const decision::World& world = cluster_.world;
    return {ends.family(), name_of(world, ends, of.first),
            name_of(world, ends, of.second, of.first == of.second),
            flows.describe(matches_.atoms())};
}

/// At an endpoint that has the policies: a run's endpoints needn't have the same.
FlowExample EffectReasons::example_of(const Attribution& slots, const EffectRuns& runs,
                                      const Run& run, Ends ends, const ConnectionSet& flows) const {
    FlowExample out = example(runs.ends(), ends, flows);
    const Program& program = runs.program(run);
    if (program.hook != decision::Hook::Normal || run.attributions.size() == 1)
        return out;
    const bool egress = program.direction == Direction::Egress;
    const std::uint32_t shown = egress ? ends.first : ends.second;
    std::vector<std::uint32_t> groups{shown};
    groups.insert(groups.end(), run.own.begin(), run.own.end());
    for (const std::uint32_t group : groups)
        for (const decision::ObjectId id : runs.ends().list()[group].objects) {
            const auto* own = cluster_.find(id, program.direction, program.hook, program.family);
            const std::string& name = cluster_.world.object(id).name;
            if (own == nullptr || own->slots.identity() != slots.identity() ||
                name == (egress ? out.destination : out.source))
                continue;
            (egress ? out.source : out.destination) = name;
            return out;
        }
    return out;
}

// --- why a rule never decides --------------------------------------------------------------------

/// Policies of Kubernetes have no order: nothing of one is there before another's. Others may come
/// before them.
std::vector<EffectReasons::TakenUnit> EffectReasons::taken_units(const Run& run) const {
    const Direction direction = cluster_.program(run.program).direction;
    std::vector<const Attribution*> ordered; // of which some policies have an order
    std::vector<TakenUnit> out;
    for (std::uint32_t i = 0; i < run.units.units.size(); ++i) {
        const Meaning& meaning = run.units.meanings[i];
        TakenUnit taken{i, {}};
        for (const Attribution& slots : run.attributions) {
            if (meaning.kind != Meaning::Kind::Rule)
                continue;
            const Slot& slot = slots[meaning.number];
            RuleEffect& rule = rule_of_(slot, direction);
            const auto all_kubernetes = [&] {
                return std::all_of(
                    slots.policies().begin(), slots.policies().end(),
                    [](const auto& each) { return is_kubernetes(each.policy.kind); });
            };
            if (rule.effect.matches && !rule.effect.decides &&
                !(is_kubernetes(slot.policy.kind) && all_kubernetes()))
                taken.rules.emplace_back(&slots, &rule);
        }
        if (!taken.rules.empty())
            out.push_back(std::move(taken));
    }
    return out;
}

void EffectReasons::explain(EffectRuns& runs, const Run& run) {
    if (!runs.has_ends(run))
        return;
    const std::vector<TakenUnit> taken = taken_units(run);
    if (taken.empty())
        return;
    const Program& program = runs.program(run);
    EffectsWalk walk(program, run.units.units, matches_);
    std::optional<Predicates> wanted{std::in_place};
    for (const TakenUnit& each : taken)
        if (wanted && !add_required(program, run.units.units[each.unit], *wanted))
            wanted.reset();
    runs.each_pair(run, wanted,
                   [&](const Identity& source, const Identity& destination, std::uint32_t from,
                       std::uint32_t to) {
                       if (!walk.meet(source, destination))
                           return true;
                       bool followed = false;
                       for (const TakenUnit& each : taken) {
                           if (!walk.matches(run.units.units[each.unit]))
                               continue;
                           if (!std::exchange(followed, true))
                               walk.follow();
                           note(run, each, walk.taken_from(each.unit), runs.ends(), {from, to});
                       }
                       return true;
                   });
}

void EffectReasons::note(const Run& run, const TakenUnit& unit,
                         const std::vector<EffectsWalk::Taken>& taken, const EndGroups& ends,
                         Ends of) const {
    const Direction direction = cluster_.program(run.program).direction;
    for (const auto& [slots, rule] : unit.rules)
        for (const EffectsWalk::Taken& each : taken) {
            const Meaning& meaning = run.units.meanings[each.unit];
            if (meaning.kind == Meaning::Kind::Tier)
                add_once(rule->taken_by_ends, (*slots)[meaning.number].tier);
            if (meaning.kind != Meaning::Kind::Rule)
                continue;
            add_once(rule->taken_by, rule_key((*slots)[meaning.number], direction));
            if (!rule->example)
                rule->example = example(ends, of, matches_.store()[each.flows]);
        }
}

} // namespace polecat::analyzer
