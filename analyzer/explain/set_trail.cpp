#include "analyzer/explain/set_trail.h"

namespace polecat::analyzer {

using decision::Action;
using decision::Entry;
using decision::Identity;
using decision::Stage;

namespace {

/// As the walk of program_sets.cpp, which keeps no record; the two are compared in tests.
class Recorder {
  public:
    Recorder(const ProgramFlows& flows, const Identity& source, const Identity& destination)
        : flows_(flows), source_(source), destination_(destination) {}

    std::vector<SetStep> run() {
        const decision::Program& program = flows_.program();
        std::size_t number = 0;
        for (; number < program.stages.size() && !may_.empty(); ++number)
            walk(program.stages[number], number);
        if (!may_.empty())
            out_.push_back({program.stages.size(), program.otherwise_slot, program.otherwise, false,
                            sure_, may_});
        return std::move(out_);
    }

  private:
    void walk(const Stage& stage, std::size_t number) {
        ConnectionSet passed, surely_passed, perhaps_decided;
        const ConnectionSet sure_before = sure_;
        for (std::size_t i = 0; i < stage.entries.size() && !may_.empty(); ++i) {
            const Entry& entry = stage.entries[i];
            if (entry.staged)
                continue;
            SetStep step{number, entry.slot, entry.action, true, {}, {}};
            if (const auto sets = flows_.entry(number, i, source_, destination_)) {
                step.sure = sure_ & sets->yes;
                step.may = may_ & sets->may;
                if (entry.action != Action::Log)
                    take(*sets, step, passed, surely_passed, perhaps_decided);
            }
            add(std::move(step));
        }
        const bool next = stage.end == decision::StageEnd::Next;
        if (!may_.empty())
            out_.push_back(
                {number, stage.end_slot, next ? Action::Pass : Action::Deny, false, sure_, may_});
        may_ = next ? may_ | passed : passed;
        sure_ = next ? sure_before - perhaps_decided : surely_passed;
    }

    /// A rule may be several entries, which a reader takes for one.
    void add(SetStep step) {
        SetStep* last = out_.empty() ? nullptr : &out_.back();
        if (last == nullptr || !last->is_rule || last->stage != step.stage ||
            last->slot != step.slot || last->action != step.action)
            return out_.push_back(std::move(step));
        last->sure = last->sure | step.sure;
        last->may = last->may | step.may;
    }

    void take(const EntrySets& sets, const SetStep& step, ConnectionSet& passed,
              ConnectionSet& surely_passed, ConnectionSet& perhaps_decided) {
        if (step.action == Action::Pass) {
            passed = passed | step.may;
            surely_passed = surely_passed | step.sure;
        } else {
            perhaps_decided = perhaps_decided | step.may;
        }
        sure_ = sure_ - sets.may;
        may_ = may_ - sets.yes;
    }

    const ProgramFlows& flows_;
    const Identity& source_;
    const Identity& destination_;
    /// What surely, and what perhaps, no rule has decided yet.
    ConnectionSet sure_ = ConnectionSet::all(), may_ = ConnectionSet::all();
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
        step.sure = each.sure & left;
        step.may = each.may & left;
        if (step.action == Action::Pass)
            passed = passed | step.may;
        if (step.action != Action::Log)
            left = left - step.sure;
        if (step.is_rule || !step.may.empty())
            out.push_back(std::move(step));
    }
    return out;
}

} // namespace polecat::analyzer
