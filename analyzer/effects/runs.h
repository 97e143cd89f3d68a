/// The programs of a cluster as analyzer/effects walks them: cut into units (rules,
/// policies, tiers), with the pairs of ends that each tells apart. For
/// analyzer/effects/effects.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "analyzer/effects/walk.h"
#include "analyzer/flows/program_view.h"
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

    /// At the normal hook the endpoints themselves are its own ends; nullopt: packets that are
    /// forwarded or not yet translated have any.
    std::optional<std::vector<decision::ObjectId>> own_objects(const Run& run) const;
    /// Whether some end of the family runs the program.
    bool has_ends(const Run& run) const { return any_is_own(run) || !run.own.empty(); }
    /// act(source, destination, a group of each) for pairs that the program tells apart, until it
    /// says false. `wanted`: those only whose other end has one of these predicates, or may.
    template <class Act>
    void each_pair(const Run& run, const std::optional<Predicates>& wanted, const Act& act) {
        if (!has_ends(run))
            return;
        ProgramEnds& view = view_of(run);
        const auto few = wanted ? view.other_classes(*wanted) : std::vector<GroupClass>{};
        const std::vector<GroupClass>& others = wanted ? few : view.other_classes();
        for (const GroupClass& a : own_of(run))
            for (const GroupClass& b : others) {
                // An endpoint sends itself nothing that policy sees.
                const bool self = a.group == b.group && a.groups == 1 && b.groups == 1 &&
                                  ends_.list()[a.group].objects.size() == 1;
                if (self)
                    continue;
                const bool same = a.group == b.group; // then another of one of the classes
                const std::uint32_t own =
                    same && b.groups == 1 && a.groups > 1 ? a.second : a.group;
                const std::uint32_t other = same && b.groups > 1 ? b.second : b.group;
                const auto [source, destination] = view.in_order(a.seen, b.seen);
                const auto [from, to] = view.in_order(own, other);
                if (!act(source, destination, from, to))
                    return;
            }
    }
    template <class Act> void each_pair(const Run& run, const Act& act) {
        each_pair(run, std::nullopt, act);
    }
    /// act(source, destination) for a few pairs of ends, without finding out which are told apart,
    /// until it says false: first any ends, then such that rules match.
    template <class Act> void some_pairs(const Run& run, const Act& act) {
        const auto last = static_cast<std::uint32_t>(ends_.list().size());
        if (last == 0 || !has_ends(run))
            return;
        const ProgramEnds& view = view_of(run);
        const std::uint32_t own = any_is_own(run) ? 0 : *run.own.begin();
        for (const std::uint32_t other : few_others(view.program())) {
            const auto [source, destination] =
                view.in_order(ends_.identity(own), ends_.identity(other));
            if (other != own && !act(source, destination))
                return;
        }
    }

  private:
    bool any_is_own(const Run& run) const { return program(run).hook != decision::Hook::Normal; }
    std::vector<std::uint32_t> few_others(const decision::Program& program) const;
    std::vector<GroupClass> own_of(const Run& run) {
        ProgramEnds& view = view_of(run);
        return any_is_own(run) ? view.own_classes() : view.own_classes(run.own);
    }
    ProgramEnds& view_of(const Run& run);
    void collect();

    const decision::LoweredCluster& cluster_;
    EndGroups ends_;
    std::vector<Run> runs_;
    /// Of the program that was asked for last: those of all programs are far too many.
    std::optional<ProgramEnds> view_;
};

} // namespace polecat::analyzer
