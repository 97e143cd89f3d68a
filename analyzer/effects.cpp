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
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            EndGroups ends(cluster_, identities_, family);
            for (Run& each : runs_of(ends)) {
                walk(each, ends);
                fold(each);
            }
        }
        explain();
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

    /// The own side is the endpoint at the normal hook; packets that are forwarded or not yet
    /// translated have any ends.
    void walk(Run& run, EndGroups& ends) {
        const Program& program = cluster_.program(run.program);
        const ProgramFlows flows(program, atoms_);
        run.effects.assign(run.units.units.size(), {});
        EffectsWalk walk(flows, run.units.units);
        each_pair(run, program, ends,
                  [&](const Identity& source, const Identity& destination, std::uint32_t,
                      std::uint32_t) { walk.between(source, destination, run.effects); });
    }

    /// Groups that one side of a program does not tell apart.
    struct Class {
        std::uint32_t group = 0; ///< one of them
        std::size_t groups = 0;
    };
    using Classes = std::map<Identity, Class>;

    static void add_to(Classes& classes, Identity seen, std::uint32_t group) {
        Class& into = classes.try_emplace(std::move(seen), Class{group, 0}).first->second;
        ++into.groups;
    }

    /// act(source, destination, a group of each) for every pair that the program tells apart.
    template <class Act>
    static void each_pair(const Run& run, const Program& program, EndGroups& ends, const Act& act) {
        const bool egress = program.direction == Direction::Egress;
        const auto own_predicates = predicates_of(program, egress);
        Classes own;
        const Classes others = others_of(program, ends);
        const auto add_own = [&](std::uint32_t group) {
            add_to(own, restricted(ends.identity(group), own_predicates), group);
        };
        if (program.hook == Hook::Normal)
            std::for_each(run.own.begin(), run.own.end(), add_own);
        else
            for (std::uint32_t i = 0; i < ends.list().size(); ++i)
                add_own(i);
        for (const auto& [mine, a] : own)
            for (const auto& [theirs, b] : others) {
                // An endpoint sends itself nothing that policy sees.
                const bool self = a.group == b.group && a.groups == 1 && b.groups == 1 &&
                                  ends.list()[a.group].objects.size() == 1;
                if (!self)
                    act(egress ? mine : theirs, egress ? theirs : mine, egress ? a.group : b.group,
                        egress ? b.group : a.group);
            }
    }

    static Classes others_of(const Program& program, EndGroups& ends) {
        const auto partition = ends.others_of(program);
        Classes out;
        std::size_t listed = 0; // groups of class 0 are those that are not listed
        for (std::uint32_t i = 0; i < ends.list().size(); ++i) {
            const bool in_list =
                listed < partition.groups.size() && partition.groups[listed].first == i;
            add_to(out, partition.classes[in_list ? partition.groups[listed].second : 0], i);
            listed += in_list ? 1 : 0;
        }
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

    /// Says of rules that match and never decide which rules take their flows.
    void explain() {
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            EndGroups ends(cluster_, identities_, family);
            for (Run& each : runs_of(ends))
                if (has_taken(each))
                    explain(each, ends);
        }
    }

    bool is_taken(const Slot& slot, Direction direction) const {
        const auto found = out_.rules.find(rule_key(slot, direction));
        return found != out_.rules.end() && found->second.effect.matches &&
               !found->second.effect.decides;
    }

    bool has_taken(const Run& run) const {
        const Direction direction = cluster_.program(run.program).direction;
        for (const Attribution& slots : run.attributions)
            for (const Meaning& meaning : run.units.meanings)
                if (meaning.kind == Meaning::Kind::Rule &&
                    is_taken(slots[meaning.number], direction))
                    return true;
        return false;
    }

    void explain(Run& run, EndGroups& ends) {
        const Program& program = cluster_.program(run.program);
        const ProgramFlows flows(program, atoms_);
        EffectsWalk walk(flows, run.units.units);
        std::vector<UnitEffect> unused(run.units.units.size());
        each_pair(run, program, ends,
                  [&](const Identity& source, const Identity& destination, std::uint32_t from,
                      std::uint32_t to) {
                      walk.between(source, destination, unused);
                      for (std::uint32_t i = 0; i < run.units.units.size(); ++i)
                          if (run.units.meanings[i].kind == Meaning::Kind::Rule)
                              note(run, i, walk, ends, from, to);
                  });
    }

    void note(const Run& run, std::uint32_t unit, const EffectsWalk& walk, const EndGroups& ends,
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
                    rule.example = example(ends, from, to, each.flows);
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
    Effects out_;
};

} // namespace

Effects effects_of(const LoweredCluster& cluster, const decision::Identities& identities) {
    return Collector(cluster, identities).run();
}

} // namespace polecat::analyzer
