#include "analyzer/explain/set_trail.h"

#include "analyzer/flows/stage_walk.h"

namespace polecat::analyzer {

using decision::Action;
using decision::Identity;

namespace {

class Recorder {
  public:
    static constexpr bool kWholeProgram = false;

    Recorder(const ProgramFlows& flows, const Identity& source, const Identity& destination)
        : flows_(flows), program_(flows.program()), source_(source), destination_(destination) {}

    std::vector<SetStep> run() {
        walk_stages(program_, PlainSets{}, *this);
        return std::move(out_);
    }

    /// What matches nothing was looked at as well.
    template <class Act> void each(std::size_t stage, const Act& act) const {
        const auto& entries = program_.stages[stage].entries;
        for (std::size_t i = 0; i < entries.size(); ++i)
            if (!entries[i].staged && !act(i, flows_.entry(stage, i, source_, destination_)
                                                  .value_or(Bounds<ConnectionSet>{})))
                return;
    }

    void begin(std::size_t, const ConnectionSet&) {
        before_ = sure_;
        surely_passed_ = perhaps_decided_ = ConnectionSet{};
    }

    void entry(std::size_t stage, std::size_t number, const Bounds<ConnectionSet>& match,
               const ConnectionSet& rest) {
        const decision::Entry& entry = program_.stages[stage].entries[number];
        SetStep step{stage, entry.slot, entry.action, true, {}};
        if (!match.may.empty()) {
            step.taken = {sure_ & match.sure, rest & match.may};
            if (step.action == Action::Pass)
                surely_passed_ = surely_passed_ | step.taken.sure;
            else if (step.action != Action::Log)
                perhaps_decided_ = perhaps_decided_ | step.taken.may;
            if (step.action != Action::Log)
                sure_ = sure_ - match.may;
        }
        add(std::move(step));
    }

    void end(std::size_t number, const ConnectionSet& rest) {
        const decision::Stage& stage = program_.stages[number];
        const bool next = stage.end == decision::StageEnd::Next;
        if (!rest.empty())
            out_.push_back(
                {number, stage.end_slot, next ? Action::Pass : Action::Deny, false, {sure_, rest}});
        sure_ = next ? before_ - perhaps_decided_ : surely_passed_;
    }

    void finish(const ConnectionSet& rest) {
        if (!rest.empty())
            out_.push_back({program_.stages.size(),
                            program_.otherwise_slot,
                            program_.otherwise,
                            false,
                            {sure_, rest}});
    }

  private:
    /// A rule may be several entries, which a reader takes for one.
    void add(SetStep step) {
        SetStep* last = out_.empty() ? nullptr : &out_.back();
        if (last == nullptr || !last->is_rule || last->stage != step.stage ||
            last->slot != step.slot || last->action != step.action)
            return out_.push_back(std::move(step));
        last->taken.sure = last->taken.sure | step.taken.sure;
        last->taken.may = last->taken.may | step.taken.may;
    }

    const ProgramFlows& flows_;
    const decision::Program& program_;
    const Identity& source_;
    const Identity& destination_;
    ConnectionSet sure_ = ConnectionSet::all(); ///< what surely no rule has decided yet
    ConnectionSet before_;                      ///< that at the start of the stage
    ConnectionSet surely_passed_, perhaps_decided_;
    std::vector<SetStep> out_;
};

} // namespace

std::vector<SetStep> set_trail(const ProgramFlows& flows, const Identity& source,
                               const Identity& destination) {
    return Recorder(flows, source, destination).run();
}

std::vector<SetStep> narrowed(const std::vector<SetStep>& trail, const ConnectionSet& traffic) {
    std::vector<SetStep> out;
    ConnectionSet left = traffic; // of the stage
    ConnectionSet passed;
    std::size_t stage = 0;
    for (const SetStep& each : trail) {
        if (each.stage != stage) {
            stage = each.stage;
            left = std::move(passed);
            passed = ConnectionSet{};
        }
        if (left.empty())
            continue;
        SetStep step = each;
        step.taken.sure = each.taken.sure & left;
        step.taken.may = each.taken.may & left;
        if (step.action == Action::Pass)
            passed = passed | step.taken.may;
        if (step.action != Action::Log)
            left = left - step.taken.sure;
        if (step.is_rule || !step.taken.may.empty())
            out.push_back(std::move(step));
    }
    return out;
}

} // namespace polecat::analyzer
