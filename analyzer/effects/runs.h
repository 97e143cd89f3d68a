/// The programs of a cluster as analyzer/effects walks them: cut into units (rules,
/// policies, tiers), with the pairs of ends that each tells apart. For
/// analyzer/effects/effects.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "analyzer/effects/walk.h"
#include "analyzer/ends/end_groups.h"
#include "ir/decision/lowered.h"

namespace polecat::analyzer {

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

/// All endpoints that run one program with one division into units.
struct Run {
    decision::ProgramId program;
    Units units;
    std::vector<decision::Attribution> attributions; ///< distinct ones
    std::set<std::uint32_t> own;                     ///< groups of ends that run it
    std::vector<UnitEffect> effects;                 ///< by unit
};

/// Groups that one side of a program does not tell apart.
struct GroupClass {
    decision::Identity seen;
    std::uint32_t group = 0;  ///< one of them
    std::uint32_t second = 0; ///< another one, where there are two
    std::size_t groups = 0;

    void add(std::uint32_t number) {
        if (groups < 2)
            (groups == 0 ? group : second) = number;
        ++groups;
    }
};

using Predicates = std::vector<decision::PredicateId>;

/// All runs of one IP family.
class EffectRuns {
  public:
    /// The cluster and the identities must outlive this.
    EffectRuns(const decision::LoweredCluster& cluster, const decision::Identities& identities,
               net::Family family);

    std::vector<Run>& list() { return runs_; }
    const EndGroups& ends() const { return ends_; }
    const decision::Program& program(const Run& run) const { return cluster_.program(run.program); }

    /// Whether some end of the family runs the program.
    bool has_ends(const Run& run) const {
        return program(run).hook != decision::Hook::Normal || !run.own.empty();
    }
    /// act(source, destination, a group of each) for pairs that the program tells apart, until it
    /// says false. `wanted`: those only whose other end has one of these predicates, or may.
    template <class Act>
    void each_pair(const Run& run, const std::optional<Predicates>& wanted, const Act& act) {
        if (!has_ends(run))
            return;
        const bool egress = program(run).direction == decision::Direction::Egress;
        const std::vector<GroupClass>& others = others_of(run.program, wanted);
        for (const GroupClass& a : own_of(run))
            for (const GroupClass& b : others) {
                // An endpoint sends itself nothing that policy sees.
                const bool self = a.group == b.group && a.groups == 1 && b.groups == 1 &&
                                  ends_.list()[a.group].objects.size() == 1;
                const bool same = a.group == b.group; // then another of one of the classes
                const std::uint32_t own =
                    same && b.groups == 1 && a.groups > 1 ? a.second : a.group;
                const std::uint32_t other = same && b.groups > 1 ? b.second : b.group;
                if (!self && !act(egress ? a.seen : b.seen, egress ? b.seen : a.seen,
                                  egress ? own : other, egress ? other : own))
                    return;
            }
    }
    template <class Act> void each_pair(const Run& run, const Act& act) {
        each_pair(run, std::nullopt, act);
    }
    /// act(source, destination) for a few pairs of ends, without finding out which are told apart,
    /// until it says false: first any ends, then such that rules match.
    template <class Act> void some_pairs(const Run& run, const Act& act) const {
        const decision::Program& of = program(run);
        const auto last = static_cast<std::uint32_t>(ends_.list().size());
        if (last == 0 || !has_ends(run))
            return;
        const bool egress = of.direction == decision::Direction::Egress;
        const std::uint32_t own = of.hook == decision::Hook::Normal ? *run.own.begin() : 0;
        const decision::Identity& mine = ends_.identity(own);
        for (const std::uint32_t other : few_others(of)) {
            const decision::Identity& theirs = ends_.identity(other);
            if (other != own && !act(egress ? mine : theirs, egress ? theirs : mine))
                return;
        }
    }

  private:
    std::vector<std::uint32_t> few_others(const decision::Program& program) const;
    std::vector<GroupClass> own_of(const Run& run);
    const std::vector<GroupClass>& others_of(decision::ProgramId id,
                                             const std::optional<Predicates>& wanted);
    void collect();

    const decision::LoweredCluster& cluster_;
    EndGroups ends_;
    std::vector<Run> runs_;
    /// Of the program that was asked for last: those of all programs are far too many.
    std::vector<GroupClass> others_;
    std::optional<decision::ProgramId> last_; ///< whose they are, if of all groups
};

} // namespace polecat::analyzer
