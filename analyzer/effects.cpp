#include "analyzer/effects.h"

#include <algorithm>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "analyzer/effect_runs.h"
#include "ir/policy/scope.h"

namespace polecat::analyzer {

using decision::Attribution;
using decision::Direction;
using decision::Group;
using decision::Identity;
using decision::LoweredCluster;
using decision::PolicyBlock;
using decision::Program;
using decision::Slot;

std::string to_string(const RuleKey& key) {
    return fmt::format("{} {}[{}]", to_string(key.policy), decision::to_string(key.direction),
                       key.index);
}

namespace {

RuleKey rule_key(const Slot& slot, Direction direction) {
    return {slot.policy, direction, slot.rule_index};
}

void add(UnitEffect& into, const UnitEffect& more) {
    into.matches = into.matches || more.matches;
    into.decides = into.decides || more.decides;
    into.reached = into.reached || more.reached;
    into.needed = into.needed || more.needed;
}

class Collector {
  public:
    Collector(const LoweredCluster& cluster, const decision::Identities& identities)
        : cluster_(cluster), identities_(identities), atoms_({&cluster}) {}

    Effects run() {
        count_endpoints();
        std::vector<std::unique_ptr<EffectRuns>> families;
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            families.push_back(std::make_unique<EffectRuns>(cluster_, identities_, family));
        for (const auto& runs : families)
            for (Run& each : runs->list()) {
                walk(*runs, each);
                fold(each);
                weigh_together(*runs, each);
                find_conflicts(*runs, each);
            }
        for (const auto& [rule, slot] : last_slots_)
            rule->slot = *slot;
        std::erase_if(out_.vacuous, [&](const auto& each) { return useful_.contains(each.first); });
        // Says of rules that match and never decide which rules take their flows.
        for (const auto& runs : families)
            for (Run& each : runs->list())
                explain(*runs, each);
        return std::move(out_);
    }

  private:
    /// Every policy that governs something, with the number of its endpoints.
    void count_endpoints() {
        for (const Group& group : cluster_.groups) {
            std::set<PolicyName> seen;
            for (const auto& [key, program] : group.programs)
                for (const PolicyBlock& block : program.slots.policies()) {
                    if (block.staged)
                        continue;
                    PolicyEffect& policy = out_.policies[block.policy];
                    policy.block = block;
                    if (seen.insert(block.policy).second)
                        policy.endpoints += group.members.size();
                }
        }
    }

    void walk(EffectRuns& runs, Run& run) {
        run.effects.assign(run.units.units.size(), {});
        walk(runs, run, runs.program(run));
        if (const auto accepting = accepting_only(runs.program(run)))
            walk(runs, run, *accepting);
    }

    void walk(EffectRuns& runs, Run& run, const Program& program) {
        EffectsWalk walk(program, run.units.units, matches_);
        runs.each_pair(
            run, [&](const Identity& source, const Identity& destination, std::uint32_t,
                     std::uint32_t) { return walk.between(source, destination, run.effects); });
    }

    /// All programs that a rule is part of share its slots.
    RuleEffect& rule_effect(const Slot& slot, Direction direction) {
        RuleEffect*& known = by_slot_[&slot];
        if (known == nullptr)
            known = &out_.rules[rule_key(slot, direction)];
        return *known;
    }

    void fold(const Run& run) {
        const Direction direction = cluster_.program(run.program).direction;
        for (const Attribution& slots : run.attributions)
            for (std::size_t i = 0; i < run.effects.size(); ++i) {
                const Meaning& meaning = run.units.meanings[i];
                if (meaning.kind == Meaning::Kind::Rule) {
                    RuleEffect& rule = rule_effect(slots[meaning.number], direction);
                    last_slots_[&rule] = &slots[meaning.number];
                    add(rule.effect, run.effects[i]);
                } else if (meaning.kind == Meaning::Kind::Policy) {
                    add(out_.policies[slots.policies()[meaning.number].policy].effect,
                        run.effects[i]);
                } else {
                    TierEffect& tier = out_.tiers[slots[meaning.number].tier];
                    tier.span = slots[meaning.number].span;
                    add(tier.effect, run.effects[i]);
                }
            }
    }

    /// Whether the policies of a tier do anything together for the endpoints of a run.
    void weigh_together(const EffectRuns& runs, const Run& run) {
        const decision::Program& program = cluster_.program(run.program);
        if (program.hook != decision::Hook::Normal || run.own.empty())
            return;
        for (std::size_t tier = 0; tier < run.units.units.size(); ++tier) {
            if (run.units.meanings[tier].kind != Meaning::Kind::Tier)
                continue;
            std::vector<std::uint32_t> policies;
            bool each_needed = true;
            for (std::size_t i = 0; i < run.units.units.size(); ++i)
                if (run.units.meanings[i].kind == Meaning::Kind::Policy &&
                    run.units.units[i].stage == run.units.units[tier].stage) {
                    policies.push_back(run.units.meanings[i].number);
                    each_needed = each_needed && run.effects[i].needed;
                }
            if (policies.size() < 2)
                continue;
            for (const Attribution& slots : run.attributions) {
                PolicyGroup group{
                    slots[run.units.meanings[tier].number].tier, program.direction, {}};
                for (const std::uint32_t number : policies)
                    group.policies.push_back(slots.policies()[number].policy);
                if (run.effects[tier].needed || !each_needed)
                    useful_.insert(std::move(group));
                else
                    out_.vacuous.emplace(std::move(group), name_of(runs.ends(), *run.own.begin()));
            }
        }
    }

    static bool is_kubernetes(policy::PolicyKind kind) {
        return kind == policy::PolicyKind::KubernetesNetworkPolicy;
    }

    /// Policies of Kubernetes have no order: nothing of one is there before another's. Others may
    /// come before them.
    bool is_taken(const Attribution& slots, std::uint32_t number, Direction direction) {
        const Slot& slot = slots[number];
        if (is_kubernetes(slot.policy.kind) &&
            std::all_of(slots.policies().begin(), slots.policies().end(),
                        [](const auto& block) { return is_kubernetes(block.policy.kind); }))
            return false;
        const UnitEffect& effect = rule_effect(slot, direction).effect;
        return effect.matches && !effect.decides;
    }

    /// A unit of rules that match and never decide: what is to be said of them.
    struct TakenUnit {
        std::uint32_t unit;
        std::vector<std::pair<const Attribution*, RuleEffect*>> rules;
    };

    std::vector<TakenUnit> taken_units(const Run& run) {
        const Direction direction = cluster_.program(run.program).direction;
        std::vector<TakenUnit> out;
        for (std::uint32_t i = 0; i < run.units.units.size(); ++i) {
            const Meaning& meaning = run.units.meanings[i];
            TakenUnit taken{i, {}};
            for (const Attribution& slots : run.attributions)
                if (meaning.kind == Meaning::Kind::Rule &&
                    is_taken(slots, meaning.number, direction))
                    taken.rules.emplace_back(&slots,
                                             &rule_effect(slots[meaning.number], direction));
            if (!taken.rules.empty())
                out.push_back(std::move(taken));
        }
        return out;
    }

    // --- policies of one order that disagree -----------------------------------------------------

    /// Two policy units of a run, and the policies of which that is asked: orders are not part of
    /// programs, so that endpoints may share one whose policies have others.
    struct Pair {
        std::uint32_t first, second;
        std::vector<const Attribution*> of;
    };
    using Pairs = std::vector<Pair>;

    /// Pairs of policies, the first one before the second, of which `holds` says so.
    template <class Holds> static Pairs pairs_of(const Run& run, const Holds& holds) {
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
    static Pairs ties(const Run& run, const Program& program) {
        std::vector<std::set<decision::Action>> says;
        for (const Unit& unit : run.units.units)
            says.push_back(actions(program, unit));
        return pairs_of(run, [&](const PolicyBlock& a, const PolicyBlock& b, const Pair& units) {
            const auto &first = says[units.first], &second = says[units.second];
            return a.stage == b.stage && a.order == b.order && !first.empty() && !second.empty() &&
                   first != second;
        });
    }

    static std::set<decision::Action> actions(const Program& program, const Unit& unit) {
        std::set<decision::Action> out;
        for (std::uint32_t e = unit.first; e < unit.first + unit.count; ++e)
            out.insert(program.stages[unit.stage].entries[e].action);
        out.erase(decision::Action::Log);
        return out;
    }

    /// Policies of Calico before a ClusterNetworkPolicy of a later tier.
    static Pairs before_cluster_policies(const Run& run) {
        using policy::PolicyKind;
        return pairs_of(run, [](const PolicyBlock& a, const PolicyBlock& b, const Pair&) {
            return a.stage < b.stage &&
                   b.policy.kind == PolicyKind::KubernetesClusterNetworkPolicy &&
                   (a.policy.kind == PolicyKind::NetworkPolicy ||
                    a.policy.kind == PolicyKind::GlobalNetworkPolicy);
        });
    }

    void find_conflicts(EffectRuns& runs, const Run& run) {
        Pairs tied = ties(run, runs.program(run)), before = before_cluster_policies(run);
        if (tied.empty() && before.empty())
            return;
        EffectsWalk walk(runs.program(run), run.units.units, matches_);
        runs.each_pair(run, [&](const Identity& source, const Identity& destination,
                                std::uint32_t from, std::uint32_t to) {
            if (!walk.meet(source, destination))
                return true;
            walk.follow();
            const auto settle = [&](Pairs& open, auto& into, const auto& flows_of) {
                std::erase_if(open, [&](const auto& pair) {
                    const SetStore::Id common = flows_of(pair);
                    if (common != 0)
                        for (const Attribution* slots : pair.of)
                            into.emplace(keys_of(run, *slots, pair),
                                         example_of(*slots, runs, run, {from, to}, store_[common]));
                    return common != 0;
                });
            };
            settle(tied, out_.conflicts,
                   [&](const auto& pair) { return walk.disagreement(pair.first, pair.second); });
            settle(before, out_.overruled,
                   [&](const auto& pair) { return walk.overruled(pair.first, pair.second); });
            return !tied.empty() || !before.empty();
        });
    }

    static std::pair<PolicyName, PolicyName> keys_of(const Run& run, const Attribution& slots,
                                                     const Pair& units) {
        const auto key = [&](std::uint32_t unit) {
            return slots.policies()[run.units.meanings[unit].number].policy;
        };
        return {key(units.first), key(units.second)};
    }

    /// The same at an endpoint that has the policies: a run's endpoints needn't have the same.
    FlowExample example_of(const Attribution& slots, const EffectRuns& runs, const Run& run,
                           std::pair<std::uint32_t, std::uint32_t> ends,
                           const ConnectionSet& flows) const {
        FlowExample out = example(runs.ends(), ends.first, ends.second, flows);
        const Program& program = runs.program(run);
        if (program.hook != decision::Hook::Normal || run.attributions.size() == 1)
            return out;
        const bool egress = program.direction == Direction::Egress;
        const std::uint32_t shown = egress ? ends.first : ends.second;
        std::vector<std::uint32_t> groups{shown};
        groups.insert(groups.end(), run.own.begin(), run.own.end());
        for (const std::uint32_t group : groups)
            for (const decision::ObjectId id : runs.ends().list()[group].objects) {
                const auto* own =
                    cluster_.find(id, program.direction, program.hook, program.family);
                const std::string& name = cluster_.world.object(id).name;
                if (own == nullptr || own->slots.identity() != slots.identity() ||
                    name == (egress ? out.destination : out.source))
                    continue;
                (egress ? out.source : out.destination) = name;
                return out;
            }
        return out;
    }

    // --- why a rule never decides ----------------------------------------------------------------

    void explain(EffectRuns& runs, Run& run) {
        const std::vector<TakenUnit> taken = taken_units(run);
        if (taken.empty())
            return;
        EffectsWalk walk(runs.program(run), run.units.units, matches_);
        runs.each_pair(run, [&](const Identity& source, const Identity& destination,
                                std::uint32_t from, std::uint32_t to) {
            if (!walk.meet(source, destination))
                return true;
            bool followed = false;
            for (const TakenUnit& each : taken) {
                if (!walk.matches(run.units.units[each.unit]))
                    continue;
                if (!std::exchange(followed, true))
                    walk.follow();
                note(run, each, walk.taken_from(each.unit), runs.ends(), from, to);
            }
            return true;
        });
    }

    void note(const Run& run, const TakenUnit& unit, const std::vector<EffectsWalk::Taken>& taken,
              const EndGroups& ends, std::uint32_t from, std::uint32_t to) {
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
                    rule->example = example(ends, from, to, store_[each.flows]);
            }
    }

    template <class T> static void add_once(std::vector<T>& list, const T& item) {
        if (std::find(list.begin(), list.end(), item) == list.end())
            list.push_back(item);
    }

    FlowExample example(const EndGroups& ends, std::uint32_t from, std::uint32_t to,
                        const ConnectionSet& flows) const {
        return {ends.family(), name_of(ends, from), name_of(ends, to, from == to),
                flows.describe(atoms_)};
    }

    /// One of the group; `other`: another one, where there is one.
    std::string name_of(const EndGroups& ends, std::uint32_t number, bool other = false) const {
        const EndGroup& group = ends.list()[number];
        if (group.is_outside()) {
            const auto& ranges = group.outside.ranges();
            return net::to_string(other ? ranges.back().last : ranges.front().first);
        }
        const std::size_t at = other && group.objects.size() > 1 ? 1 : 0;
        return cluster_.world.object(group.objects[at]).name;
    }

    const LoweredCluster& cluster_;
    const decision::Identities& identities_;
    HttpAtoms atoms_;
    SetStore store_;
    MatchSets matches_{atoms_, store_};
    std::unordered_map<const Slot*, RuleEffect*> by_slot_;
    std::unordered_map<RuleEffect*, const Slot*> last_slots_; ///< of the last run of each
    std::set<PolicyGroup> useful_;                            ///< of more than one policy
    Effects out_;
};

} // namespace

Effects effects_of(const LoweredCluster& cluster, const decision::Identities& identities) {
    return Collector(cluster, identities).run();
}

} // namespace polecat::analyzer
