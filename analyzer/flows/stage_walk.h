/// Takes all packets through a program at once: the one walk of stages by which the exact sets,
/// their trail and lint's effects go. eval() is its meaning; tables and Z3 have walks of their own,
/// which tests compare with this.
#pragma once

#include <cstddef>
#include <utility>

#include "analyzer/algebra/bounds.h"
#include "analyzer/algebra/set_store.h"
#include "ir/decision/program.h"

namespace polecat::analyzer {

/// Operations on sets themselves.
struct PlainSets {
    using Set = ConnectionSet;
    Set everything() const { return Set::all(); }
    bool is_empty(const Set& set) const { return set.empty(); }
    Set unite(const Set& a, const Set& b) const { return a | b; }
    Set intersect(const Set& a, const Set& b) const { return a & b; }
    Set subtract(const Set& a, const Set& b) const { return a - b; }
};

/// On numbers of sets.
struct StoredSets {
    using Set = SetStore::Id;
    SetStore& store;
    Set all;
    Set everything() const { return all; }
    bool is_empty(Set set) const { return set == 0; }
    Set unite(Set a, Set b) const { return store.unite(a, b); }
    Set intersect(Set a, Set b) const { return store.intersect(a, b); }
    Set subtract(Set a, Set b) const { return store.subtract(a, b); }
};

/// `walker` says what matches and sees what comes where. A packet that may or may not match goes
/// both ways.
///   each(stage, act)     calls act(entry, match) in order for entries that are not staged, until
///   it
///                        returns false: nothing is left that could match
///   begin(stage, rest)   what comes to it
///   entry(stage, entry, match, rest)
///   end(stage, rest)     what no rule of it decided
///   finish(rest)         what no stage decided
template <class Sets, class Walker>
void walk_stages(const decision::Program& program, const Sets& sets, Walker& walker) {
    using Set = typename Sets::Set;
    Set rest = sets.everything(); // what some run still carries
    for (std::size_t i = 0; i < program.stages.size(); ++i) {
        const decision::Stage& stage = program.stages[i];
        Set passed{};
        walker.begin(i, rest);
        if (Walker::kWholeProgram || !sets.is_empty(rest))
            walker.each(i, [&](std::size_t number, const Bounds<Set>& match) {
                const decision::Action action = stage.entries[number].action;
                walker.entry(i, number, match, rest);
                if (action == decision::Action::Log || sets.is_empty(match.may))
                    return true;
                if (action == decision::Action::Pass)
                    passed = sets.unite(passed, sets.intersect(rest, match.may));
                rest = sets.subtract(rest, match.sure);
                return Walker::kWholeProgram || !sets.is_empty(rest);
            });
        walker.end(i, rest);
        rest = stage.end == decision::StageEnd::Next ? sets.unite(rest, passed) : std::move(passed);
    }
    walker.finish(std::move(rest));
}

/// What a program allows of all packets. `Matches` has each(), as above; of Log rules it need say
/// nothing.
template <class Sets, class Matches> class AllowedWalk {
  public:
    static constexpr bool kWholeProgram = false;
    using Set = typename Sets::Set;

    AllowedWalk(const decision::Program& program, const Sets& sets, const Matches& matches)
        : program_(program), sets_(sets), matches_(matches) {}

    Bounds<Set> run() {
        walk_stages(program_, sets_, *this);
        return {sets_.subtract(may_allow_, may_deny_), may_allow_};
    }

    template <class Act> void each(std::size_t stage, const Act& act) const {
        matches_.each(stage, act);
    }
    void begin(std::size_t, const Set&) {}
    void entry(std::size_t stage, std::size_t number, const Bounds<Set>& match, const Set& rest) {
        const decision::Action action = program_.stages[stage].entries[number].action;
        if (action == decision::Action::Allow)
            may_allow_ = sets_.unite(may_allow_, sets_.intersect(rest, match.may));
        else if (action == decision::Action::Deny)
            may_deny_ = sets_.unite(may_deny_, sets_.intersect(rest, match.may));
    }
    void end(std::size_t stage, const Set& rest) {
        if (program_.stages[stage].end == decision::StageEnd::Deny)
            may_deny_ = sets_.unite(may_deny_, rest);
    }
    void finish(const Set& rest) {
        Set& into = program_.otherwise == decision::Action::Allow ? may_allow_ : may_deny_;
        into = sets_.unite(into, rest);
    }

  private:
    const decision::Program& program_;
    const Sets& sets_;
    const Matches& matches_;
    Set may_allow_{}, may_deny_{};
};

} // namespace polecat::analyzer
