#include "analyzer/effects/effects.h"

#include <algorithm>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "analyzer/effects/reasons.h"
#include "analyzer/effects/runs.h"
#include "analyzer/flows/program_view.h"
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

void add(UnitEffect& into, const UnitEffect& more) {
    into.matches = into.matches || more.matches;
    into.decides = into.decides || more.decides;
    into.reached = into.reached || more.reached;
    into.needed = into.needed || more.needed;
}

/// What was seen of both.
UnitEffect common(const UnitEffect& a, const UnitEffect& b) {
    return {a.matches && b.matches, a.decides && b.decides, a.reached && b.reached,
            a.needed && b.needed};
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
        EffectReasons reasons(
            cluster_, matches_,
            [this](const Slot& slot, Direction direction) -> RuleEffect& {
                return rule_effect(slot, direction);
            },
            out_);
        for (const auto& runs : families)
            for (Run& each : runs->list()) {
                judge(*runs, each);
                reasons.find_conflicts(*runs, each);
            }
        for (const auto& [rule, slot] : last_slots_)
            rule->slot = *slot;
        for (const auto& runs : families)
            for (Run& each : runs->list()) {
                drop_useful(each);
                reasons.explain(*runs, each);
            }
        return std::move(out_);
    }

  private:
    /// Every policy that governs something, with the number of its endpoints.
    void count_endpoints() {
        std::unordered_map<PolicyEffect*, const PolicyBlock*> blocks;
        for (const Group& group : cluster_.groups) {
            std::set<PolicyEffect*> seen;
            for (const auto& [key, program] : group.programs) {
                const auto& policies = policies_of(program.slots);
                for (std::size_t i = 0; i < policies.size(); ++i)
                    if (policies[i] != nullptr) {
                        blocks[policies[i]] = &program.slots.policies()[i];
                        if (seen.insert(policies[i]).second)
                            policies[i]->endpoints += group.members.size();
                    }
            }
        }
        for (const auto& [policy, block] : blocks)
            policy->block = *block;
    }

    PolicyEffect& policy_effect(const PolicyName& name) {
        PolicyEffect*& known = by_name_[name.space + "/" + name.name][name];
        if (known == nullptr)
            known = &out_.policies[name];
        return *known;
    }

    /// By place in the attribution; nullptr: staged.
    const std::vector<PolicyEffect*>& policies_of(const Attribution& slots) {
        const auto [place, added] = policies_.try_emplace(slots.identity());
        if (added)
            for (const PolicyBlock& block : slots.policies())
                place->second.push_back(block.staged ? nullptr : &policy_effect(block.policy));
        return place->second;
    }

    /// All programs that a rule is part of share its slots.
    RuleEffect& rule_effect(const Slot& slot, Direction direction) {
        RuleEffect*& known = by_slot_[&slot];
        if (known == nullptr)
            known = &out_.rules[rule_key(slot, direction)];
        return *known;
    }

    /// Where what all programs show of a unit comes together.
    UnitEffect& total_of(const Run& run, const Attribution& slots, std::size_t unit) {
        const Meaning& meaning = run.units.meanings[unit];
        if (meaning.kind == Meaning::Kind::Rule)
            return rule_effect(slots[meaning.number], cluster_.program(run.program).direction)
                .effect;
        if (meaning.kind == Meaning::Kind::Policy)
            return policies_of(slots)[meaning.number]->effect;
        return out_.tiers[slots[meaning.number].tier].effect;
    }

    void judge(EffectRuns& runs, Run& run) {
        if (!runs.has_ends(run)) {
            run.effects.assign(run.units.units.size(), {});
            return fold(run);
        }
        // What other programs have shown of a unit needn't be found again. Of tiers it is asked at
        // each program whether they are needed.
        run.effects.assign(run.units.units.size(), {true, true, true, true});
        for (std::size_t i = 0; i < run.effects.size(); ++i) {
            for (const Attribution& slots : run.attributions)
                run.effects[i] = common(run.effects[i], total_of(run, slots, i));
            if (run.units.meanings[i].kind == Meaning::Kind::Tier)
                run.effects[i].needed = false;
        }
        walk(runs, run);
        note_vacuous(runs, run);
        fold(run);
    }

    void walk(EffectRuns& runs, Run& run) {
        walk(runs, run, runs.program(run));
        if (const auto accepting = accepting_only(runs.program(run)))
            walk(runs, run, *accepting);
    }

    void walk(EffectRuns& runs, Run& run, const Program& program) {
        EffectsWalk walk(program, run.units.units, matches_, runs.ends().all_known(program));
        runs.some_pairs(run, [&](const Identity& source, const Identity& destination) {
            walk.between(source, destination, run.effects);
            return walk.wants_any(run.effects);
        });
        const auto wanted = walk.still_wanted(run.effects);
        if (wanted && wanted->empty())
            return;
        runs.each_pair(
            run, wanted,
            [&](const Identity& source, const Identity& destination, std::uint32_t, std::uint32_t) {
                return walk.between(source, destination, run.effects);
            });
    }

    void fold(const Run& run) {
        for (const Attribution& slots : run.attributions)
            for (std::size_t i = 0; i < run.effects.size(); ++i) {
                const Meaning& meaning = run.units.meanings[i];
                add(total_of(run, slots, i), run.effects[i]);
                if (meaning.kind == Meaning::Kind::Rule)
                    last_slots_[&rule_effect(slots[meaning.number],
                                             cluster_.program(run.program).direction)] =
                        &slots[meaning.number];
                else if (meaning.kind == Meaning::Kind::Tier)
                    out_.tiers[slots[meaning.number].tier].span = slots[meaning.number].span;
            }
    }

    // --- policies that do nothing together -------------------------------------------------------

    /// A tier of a run that has two policies or more: its unit and theirs.
    struct Together {
        std::uint32_t tier;
        std::vector<std::uint32_t> policies;
    };

    std::vector<Together> together(const Run& run) const {
        std::vector<Together> out;
        if (cluster_.program(run.program).hook != decision::Hook::Normal || run.own.empty())
            return out;
        const auto& [units, meanings] = run.units;
        for (std::uint32_t tier = 0; tier < units.size(); ++tier) {
            if (meanings[tier].kind != Meaning::Kind::Tier)
                continue;
            Together each{tier, {}};
            for (std::uint32_t i = 0; i < units.size(); ++i)
                if (meanings[i].kind == Meaning::Kind::Policy &&
                    units[i].stage == units[tier].stage)
                    each.policies.push_back(i);
            if (each.policies.size() > 1)
                out.push_back(std::move(each));
        }
        return out;
    }

    /// Whether the program would do something else without any one of the policies alone. Of those
    /// that are needed elsewhere it was not asked yet.
    bool each_is_needed(EffectRuns& runs, const Run& run, const Together& of) {
        const auto is_needed = [&](std::uint32_t policy) { return run.effects[policy].needed; };
        return std::all_of(of.policies.begin(), of.policies.end(), is_needed) &&
               std::all_of(of.policies.begin(), of.policies.end(), [&](std::uint32_t policy) {
                   Run alone{run.program,
                             {{run.units.units[policy]}, {run.units.meanings[policy]}},
                             {},
                             run.own,
                             {{true, true, true, false}}};
                   walk(runs, alone);
                   return alone.effects.front().needed;
               });
    }

    PolicyGroup group_of(const Run& run, const Together& of, const Attribution& slots) const {
        const auto& meanings = run.units.meanings;
        PolicyGroup out{
            slots[meanings[of.tier].number].tier, cluster_.program(run.program).direction, {}};
        for (const std::uint32_t policy : of.policies)
            out.policies.push_back(slots.policies()[meanings[policy].number].policy);
        return out;
    }

    void note_vacuous(EffectRuns& runs, const Run& run) {
        for (const Together& each : together(run)) {
            if (run.effects[each.tier].needed || !each_is_needed(runs, run, each))
                continue;
            vacuous_.emplace(&run, each.tier);
            for (const Attribution& slots : run.attributions)
                out_.vacuous.emplace(group_of(run, each, slots),
                                     name_of(cluster_.world, runs.ends(), *run.own.begin()));
        }
    }

    /// The same policies do something for endpoints of another program.
    void drop_useful(const Run& run) {
        if (out_.vacuous.empty())
            return;
        for (const Together& each : together(run))
            for (const Attribution& slots : run.attributions)
                if (!vacuous_.contains({&run, each.tier}))
                    out_.vacuous.erase(group_of(run, each, slots));
    }

    const LoweredCluster& cluster_;
    const decision::Identities& identities_;
    HttpAtoms atoms_;
    SetStore store_;
    MatchSets matches_{atoms_, store_};
    std::unordered_map<const Slot*, RuleEffect*> by_slot_;
    std::unordered_map<std::string, std::map<PolicyName, PolicyEffect*>> by_name_;
    std::unordered_map<const void*, std::vector<PolicyEffect*>> policies_; ///< by attribution
    std::unordered_map<RuleEffect*, const Slot*> last_slots_; ///< of the last run of each
    std::set<std::pair<const Run*, std::uint32_t>> vacuous_;  ///< run and tier
    Effects out_;
};

} // namespace

Effects effects_of(const LoweredCluster& cluster, const decision::Identities& identities) {
    return Collector(cluster, identities).run();
}

} // namespace polecat::analyzer
