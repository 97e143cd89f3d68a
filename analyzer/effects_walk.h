/// What parts of one program do between two ends: exact, for all packets at once. For
/// analyzer/effects.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analyzer/program_sets.h"

namespace polecat::analyzer {

/// Entries [first, first + count) of a stage that are judged together: a rule of a manifest, a
/// policy, a tier.
struct Unit {
    std::uint32_t stage = 0, first = 0, count = 0;
    /// Without it the stage is not there: a tier, and a policy that has its tier for itself.
    bool whole_stage = false;
    auto operator<=>(const Unit&) const = default;
};

/// What was seen of a unit so far.
struct UnitEffect {
    bool matches = false; ///< some flow matches one of its rules
    bool decides = false; ///< some such flow is not taken by what comes before
    bool reached = false; ///< some flow comes to its place
    bool needed = false;  ///< without it some verdict would be (or may be) another
};

class EffectsWalk {
  public:
    /// Both must outlive this.
    EffectsWalk(const ProgramFlows& flows, const std::vector<Unit>& units)
        : flows_(flows), units_(units) {}

    /// Adds what happens between these ends to `effects`, one for each unit.
    void between(const decision::Identity& source, const decision::Identity& destination,
                 std::vector<UnitEffect>& effects);

    /// Units before `unit` that take flows which it matches, by number. Of the last between().
    struct Taken {
        std::uint32_t unit;
        ConnectionSet flows;
    };
    std::vector<Taken> taken_from(std::uint32_t unit) const;

  private:
    /// An entry that matches something between the ends.
    struct Live {
        std::uint32_t entry = 0;
        EntrySets sets;
        ConnectionSet arriving; ///< what comes to it
        ConnectionSet allowed;  ///< what is allowed of all packets, judged from here on
    };
    struct StageWalk {
        std::vector<Live> live;
        ConnectionSet arriving, leaving; ///< at its start; at its end, undecided
        ConnectionSet allowed;           ///< of all packets, judged from its start on
        ConnectionSet allowed_at_end;    ///< what its end allows
    };

    void forward(const decision::Identity& source, const decision::Identity& destination);
    void backward();
    void judge(const Unit& unit, UnitEffect& effect) const;
    bool changes(const Unit& unit) const;
    std::size_t first_live(const StageWalk& stage, std::uint32_t entry) const;
    const ConnectionSet& allowed_from(std::size_t stage) const;

    const ProgramFlows& flows_;
    const std::vector<Unit>& units_;
    std::vector<StageWalk> stages_;
    ConnectionSet otherwise_;
    bool certain_ = true; ///< every match between the ends is known
};

} // namespace polecat::analyzer
