#include "ir/decision/eval.h"

#include "ir/decision/match.h"

namespace polecat::decision {

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
    case Verdict::Allow:
        return "allow";
    case Verdict::Deny:
        return "deny";
    case Verdict::Depends:
        return "depends";
    }
    return "depends";
}

namespace {

/// Walks a program once. A rule that may or may not match is followed both ways: the run in which
/// it does not match goes on, and what it would do is noted.
class Walk {
  public:
    Walk(const Program& program, const PredicateStore& predicates, const World& world,
         const Flow& flow, Staging staging)
        : program_(program), predicates_(predicates), world_(world), flow_(flow),
          staging_(staging) {}

    Decision run() {
        bool reached = true;
        for (std::size_t i = 0; i < program_.stages.size() && reached; ++i)
            reached = walk_stage(i);
        if (reached) {
            note(program_.stages.size(), program_.otherwise_slot, Step::Outcome::End);
            finish(program_.otherwise, program_.otherwise_slot, main_);
        }
        if (may_allow_ && may_deny_) {
            decision_.verdict = Verdict::Depends;
            decision_.slot = unknown_slot_;
            decision_.reason = reason_;
        } else {
            decision_.verdict = may_allow_ ? Verdict::Allow : Verdict::Deny;
        }
        return std::move(decision_);
    }

  private:
    void note(std::size_t stage, SlotId slot, Step::Outcome outcome) {
        decision_.trail.push_back(Step{stage, slot, outcome});
    }

    /// `main`: this is what happens when no unknown rule matches.
    void finish(Action action, SlotId slot, bool main) {
        (action == Action::Allow ? may_allow_ : may_deny_) = true;
        if (main)
            decision_.slot = slot;
    }

    void remember_unknown(const Entry& entry) {
        if (!reason_.empty())
            return;
        unknown_slot_ = entry.slot;
        reason_ = unknown_reason(entry.match, predicates_, world_, flow_);
    }

    /// Whether some run goes on after this stage.
    bool walk_stage(std::size_t index) {
        const Stage& stage = program_.stages[index];
        bool passed = false; // some run left by Pass that is not the main one
        for (const Entry& entry : stage.entries) {
            if (entry.staged && staging_ == Staging::Ignored)
                continue;
            const Tri outcome = matches(entry.match, predicates_, world_, flow_);
            if (outcome == Tri::No) {
                note(index, entry.slot, Step::Outcome::NoMatch);
                continue;
            }
            const bool sure = outcome == Tri::Yes;
            note(index, entry.slot, sure ? Step::Outcome::Match : Step::Outcome::Unknown);
            if (entry.action == Action::Log) {
                if (sure && main_)
                    decision_.logs.push_back(entry.slot);
                continue;
            }
            if (!sure)
                remember_unknown(entry);
            if (entry.action == Action::Pass)
                passed = true;
            else
                finish(entry.action, entry.slot, sure && main_);
            if (sure) {
                main_ = main_ && entry.action == Action::Pass;
                return passed;
            }
        }
        const StageEnd end = staging_ == Staging::Enforced ? stage.staged_end : stage.end;
        note(index, stage.end_slot, Step::Outcome::End);
        if (end == StageEnd::Next)
            return true;
        finish(Action::Deny, stage.end_slot, main_);
        main_ = false;
        return passed;
    }

    const Program& program_;
    const PredicateStore& predicates_;
    const World& world_;
    const Flow& flow_;
    Staging staging_;
    Decision decision_;
    bool main_ = true; ///< the run in which no unknown rule matches is still going on
    bool may_allow_ = false, may_deny_ = false;
    SlotId unknown_slot_;
    std::string reason_;
};

} // namespace

Decision eval(const Program& program, const PredicateStore& predicates, const World& world,
              const Flow& flow, Staging staging) {
    return Walk(program, predicates, world, flow, staging).run();
}

} // namespace polecat::decision
