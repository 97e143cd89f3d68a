/// What parts of one program do between two ends: exact, for all packets at once. For
/// analyzer/effects/effects.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "analyzer/effects/unit_effect.h"
#include "analyzer/flows/live_entries.h"

namespace polecat::analyzer {

/// Entries [first, first + count) of a stage that are judged together: a rule of a manifest, a
/// policy, a tier.
struct Unit {
    std::uint32_t stage = 0, first = 0, count = 0;
    /// Without it the stage is not there: a tier, and a policy that has its tier for itself.
    bool whole_stage = false;
    auto operator<=>(const Unit&) const = default;
};

/// Adds predicates to `out`: an other end that the unit matches has one of them, or may. False: it
/// may match any end.
bool add_required(const decision::Program& program, const Unit& unit,
                  std::vector<decision::PredicateId>& out);

class EffectsWalk {
  public:
    /// All must outlive this. `all_known`: of no end it is unknown whether it has a predicate that
    /// the program asks for.
    EffectsWalk(const decision::Program& program, const std::vector<Unit>& units, MatchSets& sets,
                bool all_known = false);

    /// Adds what happens between these ends to `effects`, one for each unit. False: no ends can add
    /// anything any more.
    bool between(const decision::Identity& source, const decision::Identity& destination,
                 std::vector<UnitEffect>& effects);

    /// Whether just any other ends can add something to `effects`.
    bool wants_any(const std::vector<UnitEffect>& effects) const;
    /// Which other ends can add anything to `effects`, as add_required() says; nullopt: any.
    std::optional<std::vector<decision::PredicateId>>
    still_wanted(const std::vector<UnitEffect>& effects) const;

    /// Finds what matches between two ends. False: the very same as between two ends before.
    bool meet(const decision::Identity& source, const decision::Identity& destination);
    /// Does the unit match anything between them?
    bool matches(const Unit& unit) const;
    /// Takes all packets from one of them to the other: what comes to which rule.
    void follow();

    /// Flows that come to the first unit and that the two judge differently, as far as they say. Of
    /// the last follow().
    SetStore::Id disagreement(std::uint32_t first, std::uint32_t second);

    /// Flows that the first unit allows or denies, and that the second, of a later stage, would
    /// decide the other way if they came to its stage. Of the last follow().
    SetStore::Id overruled(std::uint32_t first, std::uint32_t second);

    /// Units before `unit` that take flows which it matches, by number; of a whole stage, what its
    /// end denies. Of the last follow().
    struct Taken {
        std::uint32_t unit;
        SetStore::Id flows;
    };
    std::vector<Taken> taken_from(std::uint32_t unit);

  private:
    using Id = SetStore::Id;
    /// An entry that matches something between the ends.
    struct Live {
        std::uint32_t entry = 0;
        SetBounds sets;
        Id arriving = 0; ///< what comes to it
        Id allowed = 0;  ///< what is allowed of all packets, judged from here on
    };
    struct Follow;
    struct StageWalk {
        std::vector<Live> live;
        Id arriving = 0, leaving = 0; ///< at its start; at its end, undecided
        Id allowed = 0;               ///< of all packets, judged from its start on
        Id allowed_at_end = 0;        ///< what its end allows
        bool only_allows = false;     ///< no rule of it denies or passes
    };

    void find_hidden();
    bool is_open(std::size_t unit, const UnitEffect& effect) const;
    bool any_may_add(std::size_t unit, const UnitEffect& effect) const;
    bool may_add(std::size_t unit, const UnitEffect& effect) const;
    bool is_covered(std::size_t unit, const UnitEffect& effect);
    void backward();
    void judge(const Unit& unit, UnitEffect& effect);
    bool changes(const Unit& unit, std::size_t from, std::size_t to);
    /// What the unit matches of the ends of now.
    std::span<const Live> lives_of(const Unit& unit) const;
    std::size_t first_live(const StageWalk& stage, std::uint32_t entry) const;
    Id allowed_from(std::size_t stage) const;

    const decision::Program& program_;
    const std::vector<Unit>& units_;
    MatchSets& sets_;
    SetStore& store_;
    bool all_known_;
    LiveEntries entries_;
    std::unordered_set<std::vector<LiveEntries::Live>, LiveEntries::Hash> met_;
    std::vector<StageWalk> stages_;
    /// By unit: what it does between no ends, because of rules that take every packet.
    std::vector<UnitEffect> hidden_;
    std::vector<std::uint32_t> judged_; ///< units of which the ends of now may show something
    Id otherwise_ = 0;
    bool certain_ = true; ///< every match between the ends is known
    bool open_ = true;    ///< other ends may add something
};

} // namespace polecat::analyzer
