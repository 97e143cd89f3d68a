/// What is said of rules, policies and tiers beside what they do: the rules that take another's
/// flows, policies that disagree, with a flow that shows it. For analyzer/effects/effects.cpp.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "analyzer/effects/effects.h"
#include "analyzer/effects/runs.h"

namespace polecat::analyzer {

RuleKey rule_key(const decision::Slot& slot, decision::Direction direction);

/// One end of a group; `other`: another one, where there is one.
std::string name_of(const decision::World& world, const EndGroups& ends, std::uint32_t group,
                    bool other = false);

class EffectReasons {
  public:
    using RuleOf = std::function<RuleEffect&(const decision::Slot&, decision::Direction)>;
    /// All must outlive this, but `rule_of`, which finds a rule's place in `into`.
    EffectReasons(const decision::LoweredCluster& cluster, MatchSets& matches, RuleOf rule_of,
                  Effects& into)
        : cluster_(cluster), matches_(matches), rule_of_(std::move(rule_of)), out_(into) {}

    /// Finds policies of which one allows what the other does not.
    void find_conflicts(EffectRuns& runs, const Run& run);
    /// Says of rules that match and never decide which rules take their flows. Wants all effects.
    void explain(EffectRuns& runs, const Run& run);

  private:
    /// A unit of rules that match and never decide: what is to be said of them.
    struct TakenUnit {
        std::uint32_t unit;
        std::vector<std::pair<const decision::Attribution*, RuleEffect*>> rules;
    };
    /// Two policy units of a run, and the policies of which that is asked: orders are not part of
    /// programs, so that endpoints may share one whose policies have others.
    struct Pair {
        std::uint32_t first, second;
        std::vector<const decision::Attribution*> of;
    };
    using Pairs = std::vector<Pair>;
    using Names = std::pair<PolicyName, PolicyName>;
    using Examples = std::map<Names, FlowExample>;
    /// Groups of ends, source and destination.
    using Ends = std::pair<std::uint32_t, std::uint32_t>;

    template <class Holds> static Pairs pairs_of(const Run& run, const Holds& holds);
    static Pairs ties(const Run& run, const decision::Program& program);
    static Pairs before_cluster_policies(const Run& run);
    static Names names_of(const Run& run, const Pair& pair, const decision::Attribution& slots);
    static void drop_known(const Run& run, Pairs& pairs, const Examples& known);
    static std::optional<Predicates> required(const Run& run, const decision::Program& program,
                                              std::initializer_list<const Pairs*> lists);
    template <class FlowsOf>
    void settle(const EffectRuns& runs, const Run& run, Pairs& open, Examples& into, Ends ends,
                const FlowsOf& flows_of) const;
    FlowExample example_of(const decision::Attribution& slots, const EffectRuns& runs,
                           const Run& run, Ends ends, const ConnectionSet& flows) const;
    FlowExample example(const EndGroups& ends, Ends of, const ConnectionSet& flows) const;

    std::vector<TakenUnit> taken_units(const Run& run) const;
    void note(const Run& run, const TakenUnit& unit, const std::vector<EffectsWalk::Taken>& taken,
              const EndGroups& ends, Ends of) const;

    const decision::LoweredCluster& cluster_;
    MatchSets& matches_;
    RuleOf rule_of_;
    Effects& out_;
};

} // namespace polecat::analyzer
