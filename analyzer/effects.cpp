#include "analyzer/effects.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "ir/policy/scope.h"

namespace polecat::analyzer {

using decision::Attribution;
using decision::Direction;
using decision::Group;
using decision::Hook;
using decision::Identity;
using decision::LoweredCluster;
using decision::PolicyBlock;
using decision::Program;
using decision::Slot;

std::string to_string(const PolicyKey& key) {
    return key.kind + " " + (key.space.empty() ? "" : key.space + "/") + key.name;
}

PolicyKey key_of(const policy::Policy& policy) {
    return {policy.manifest_kind.empty() ? std::string(policy::to_string(policy.kind))
                                         : policy.manifest_kind,
            policy::is_global(policy.kind) ? "" : policy.meta.space, policy.meta.name, policy.kind};
}

std::string to_string(const RuleKey& key) {
    return fmt::format("{} {}[{}]", to_string(key.policy), decision::to_string(key.direction),
                       key.index);
}

namespace {

/// What a unit of a program stands for.
struct Meaning {
    enum class Kind { Rule, Policy, Tier } kind = Kind::Rule;
    std::uint32_t number = 0; ///< slot, index of the policy's block, slot of the tier's end
    auto operator<=>(const Meaning&) const = default;
};

/// The units of one program under one attribution.
struct Units {
    std::vector<Unit> units;
    std::vector<Meaning> meanings;
    auto operator<=>(const Units&) const = default;
};

PolicyKey key_of(const PolicyBlock& block) {
    return {block.kind, block.space, block.name, block.kind_of_policy};
}

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
    return out;
}

void add(UnitEffect& into, const UnitEffect& more) {
    into.matches = into.matches || more.matches;
    into.decides = into.decides || more.decides;
    into.reached = into.reached || more.reached;
    into.needed = into.needed || more.needed;
}

/// All endpoints that run one program with one division into units.
struct Run {
    decision::ProgramId program;
    Units units;
    std::vector<Attribution> attributions; ///< distinct ones
    std::set<std::uint32_t> own;           ///< groups of ends that run it
    std::vector<UnitEffect> effects;
};

class Collector {
  public:
    Collector(const LoweredCluster& cluster, const decision::Identities& identities)
        : cluster_(cluster), identities_(identities), atoms_({&cluster}) {}

    Effects run() {
        count_endpoints();
        std::map<net::Family, std::pair<EndGroups, std::vector<Run>>> all;
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            EndGroups groups(cluster_, identities_, family);
            std::vector<Run> found = runs_of(groups);
            auto& [ends, runs] =
                all.emplace(family, std::pair(std::move(groups), std::move(found))).first->second;
            for (Run& each : runs) {
                walk(each, ends);
                fold(each);
            }
        }
        // Says of rules that match and never decide which rules take their flows.
        for (auto& [family, part] : all)
            for (Run& each : part.second)
                if (!taken_units(each).empty())
                    explain(each, part.first);
        return std::move(out_);
    }

  private:
    /// Every policy that governs something, with the number of its endpoints.
    void count_endpoints() {
        for (const Group& group : cluster_.groups) {
            std::set<PolicyKey> seen;
            for (const auto& [key, program] : group.programs)
                for (const PolicyBlock& block : program.slots.policies()) {
                    if (block.staged)
                        continue;
                    PolicyEffect& policy = out_.policies[key_of(block)];
                    policy.block = block;
                    if (seen.insert(key_of(block)).second)
                        policy.endpoints += group.members.size();
                }
        }
    }

    std::vector<Run> runs_of(const EndGroups& ends) const {
        std::map<std::pair<std::uint32_t, Units>, std::size_t> known;
        std::vector<Run> out;
        for (const Group& group : cluster_.groups)
            for (const auto& [key, each] : group.programs) {
                if (key.family != ends.family())
                    continue;
                Units units = units_of(cluster_.program(each.program), each.slots);
                if (units.units.empty())
                    continue;
                const auto [place, added] =
                    known.try_emplace({each.program.value, units}, out.size());
                if (added)
                    out.push_back({each.program, std::move(units), {}, {}, {}});
                Run& run = out[place->second];
                const bool seen = std::any_of(
                    run.attributions.begin(), run.attributions.end(),
                    [&](const Attribution& a) { return a.identity() == each.slots.identity(); });
                if (!seen)
                    run.attributions.push_back(each.slots);
                for (const decision::ObjectId member : group.members)
                    if (const auto own = ends.group_of(member))
                        run.own.insert(*own);
            }
        return out;
    }

    /// Nothing that is still to come could add to it.
    static bool is_complete(const UnitEffect& effect) {
        return effect.matches && effect.decides && effect.reached && effect.needed;
    }

    void walk(Run& run, EndGroups& ends) {
        const Program& program = cluster_.program(run.program);
        const ProgramFlows flows(program, atoms_);
        run.effects.assign(run.units.units.size(), {});
        EffectsWalk walk(flows, run.units.units, store_);
        each_pair(
            run, program, ends,
            [&](const Identity& source, const Identity& destination, std::uint32_t, std::uint32_t) {
                walk.between(source, destination, run.effects);
                return !std::all_of(run.effects.begin(), run.effects.end(), is_complete);
            });
    }

    /// Groups that one side of a program does not tell apart.
    struct Class {
        Identity seen;
        std::uint32_t group = 0; ///< one of them
        std::size_t groups = 0;
    };

    /// act(source, destination, a group of each) for pairs that the program tells apart, until it
    /// says false.
    template <class Act>
    static void each_pair(const Run& run, const Program& program, EndGroups& ends, const Act& act) {
        const bool egress = program.direction == Direction::Egress;
        const std::vector<Class> others = others_of(program, ends);
        for (const Class& a : own_of(run, program, ends))
            for (const Class& b : others) {
                // An endpoint sends itself nothing that policy sees.
                const bool self = a.group == b.group && a.groups == 1 && b.groups == 1 &&
                                  ends.list()[a.group].objects.size() == 1;
                if (!self && !act(egress ? a.seen : b.seen, egress ? b.seen : a.seen,
                                  egress ? a.group : b.group, egress ? b.group : a.group))
                    return;
            }
    }

    /// At the normal hook the endpoint itself; packets that are forwarded or not yet translated
    /// have any ends.
    static std::vector<Class> own_of(const Run& run, const Program& program,
                                     const EndGroups& ends) {
        const auto predicates = predicates_of(program, program.direction == Direction::Egress);
        std::map<Identity, Class> known;
        const auto add = [&](std::uint32_t group) {
            Identity seen = restricted(ends.identity(group), predicates);
            Class& into = known.try_emplace(seen, Class{seen, group, 0}).first->second;
            ++into.groups;
        };
        if (program.hook == Hook::Normal)
            std::for_each(run.own.begin(), run.own.end(), add);
        else
            for (std::uint32_t i = 0; i < ends.list().size(); ++i)
                add(i);
        std::vector<Class> out;
        for (auto& [seen, each] : known)
            out.push_back(std::move(each));
        return out;
    }

    static std::vector<Class> others_of(const Program& program, EndGroups& ends) {
        auto partition = ends.others_of(program);
        std::vector<Class> out;
        for (Identity& seen : partition.classes)
            out.push_back({std::move(seen), 0, 0});
        for (const auto& [group, number] : partition.groups)
            if (out[number].groups++ == 0)
                out[number].group = group;
        // The rest is of class 0.
        out.front().groups = ends.list().size() - partition.groups.size();
        std::uint32_t first = 0;
        for (const auto& [group, number] : partition.groups)
            first += group == first ? 1 : 0;
        out.front().group = first;
        std::erase_if(out, [](const Class& each) { return each.groups == 0; });
        return out;
    }

    static RuleKey rule_key(const Slot& slot, Direction direction) {
        return {{slot.policy_kind, slot.policy_space, slot.policy_name, slot.kind_of_policy},
                direction,
                slot.rule_index};
    }

    void fold(const Run& run) {
        const Direction direction = cluster_.program(run.program).direction;
        for (const Attribution& slots : run.attributions)
            for (std::size_t i = 0; i < run.effects.size(); ++i) {
                const Meaning& meaning = run.units.meanings[i];
                if (meaning.kind == Meaning::Kind::Rule) {
                    RuleEffect& rule = out_.rules[rule_key(slots[meaning.number], direction)];
                    rule.slot = slots[meaning.number];
                    add(rule.effect, run.effects[i]);
                } else if (meaning.kind == Meaning::Kind::Policy) {
                    add(out_.policies[key_of(slots.policies()[meaning.number])].effect,
                        run.effects[i]);
                } else {
                    TierEffect& tier = out_.tiers[slots[meaning.number].tier];
                    tier.span = slots[meaning.number].span;
                    add(tier.effect, run.effects[i]);
                }
            }
    }

    bool is_taken(const Slot& slot, Direction direction) const {
        const auto found = out_.rules.find(rule_key(slot, direction));
        return found != out_.rules.end() && found->second.effect.matches &&
               !found->second.effect.decides;
    }

    /// Units of rules that match and never decide.
    std::vector<std::uint32_t> taken_units(const Run& run) const {
        const Direction direction = cluster_.program(run.program).direction;
        std::vector<std::uint32_t> out;
        for (std::uint32_t i = 0; i < run.units.units.size(); ++i)
            if (run.units.meanings[i].kind == Meaning::Kind::Rule &&
                std::any_of(run.attributions.begin(), run.attributions.end(),
                            [&](const Attribution& slots) {
                                return is_taken(slots[run.units.meanings[i].number], direction);
                            }))
                out.push_back(i);
        return out;
    }

    void explain(Run& run, EndGroups& ends) {
        const Program& program = cluster_.program(run.program);
        const ProgramFlows flows(program, atoms_);
        EffectsWalk walk(flows, run.units.units, store_);
        std::vector<UnitEffect> unused(run.units.units.size());
        const std::vector<std::uint32_t> taken = taken_units(run);
        each_pair(run, program, ends,
                  [&](const Identity& source, const Identity& destination, std::uint32_t from,
                      std::uint32_t to) {
                      const auto matched = [&](std::uint32_t unit) {
                          return walk.matches(unit, source, destination);
                      };
                      if (std::none_of(taken.begin(), taken.end(), matched))
                          return true;
                      walk.between(source, destination, unused);
                      for (const std::uint32_t unit : taken)
                          note(run, unit, walk, ends, from, to);
                      return true;
                  });
    }

    void note(const Run& run, std::uint32_t unit, EffectsWalk& walk, const EndGroups& ends,
              std::uint32_t from, std::uint32_t to) {
        const Direction direction = cluster_.program(run.program).direction;
        std::optional<std::vector<EffectsWalk::Taken>> taken;
        for (const Attribution& slots : run.attributions) {
            const Slot& slot = slots[run.units.meanings[unit].number];
            if (!is_taken(slot, direction))
                continue;
            if (!taken)
                taken = walk.taken_from(unit);
            RuleEffect& rule = out_.rules[rule_key(slot, direction)];
            for (const EffectsWalk::Taken& each : *taken) {
                if (run.units.meanings[each.unit].kind != Meaning::Kind::Rule)
                    continue;
                const RuleKey by = rule_key(slots[run.units.meanings[each.unit].number], direction);
                if (std::find(rule.taken_by.begin(), rule.taken_by.end(), by) ==
                    rule.taken_by.end())
                    rule.taken_by.push_back(by);
                if (!rule.example)
                    rule.example = example(ends, from, to, store_[each.flows]);
            }
        }
    }

    FlowExample example(const EndGroups& ends, std::uint32_t from, std::uint32_t to,
                        const ConnectionSet& flows) const {
        return {ends.family(), name_of(ends, from), name_of(ends, to), flows.describe(atoms_)};
    }

    std::string name_of(const EndGroups& ends, std::uint32_t number) const {
        const EndGroup& group = ends.list()[number];
        return group.is_outside() ? net::to_string(group.outside.ranges().front().first)
                                  : cluster_.world.object(group.objects.front()).name;
    }

    const LoweredCluster& cluster_;
    const decision::Identities& identities_;
    HttpAtoms atoms_;
    SetStore store_;
    Effects out_;
};

} // namespace

Effects effects_of(const LoweredCluster& cluster, const decision::Identities& identities) {
    return Collector(cluster, identities).run();
}

} // namespace polecat::analyzer
