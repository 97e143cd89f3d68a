/// Sets of labels as bit-vectors: for each label the number of a class of values, or of absence.
/// The classes come from analyzer/labels/label_space, cut by small automata, so that no string
/// reaches the solver.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "analyzer/labels/label_space.h"
#include "analyzer/z3/formula.h"

namespace polecat::smt {

class LabelAtoms {
  public:
    /// `terms` must outlive it. `selectors`: all that will be asked.
    LabelAtoms(Terms& terms, const std::vector<selector::Selector>& selectors);

    /// False: the tests of some label are too many to cut its values; nothing may be asked.
    bool are_cut() const { return cut_; }
    /// Some test is one that labels' values don't decide (analyzer::is_decided): what it says of
    /// each set of labels is a free variable, so that a model may describe what can't be.
    bool has_guesses() const { return guesses_; }

    /// The variables of one set of labels; `name` is theirs alone.
    struct LabelSet {
        std::string name;
        std::vector<Term> values; ///< by label
    };
    LabelSet make(const std::string& name);
    /// What holds of every set of labels.
    Term domain(const LabelSet& set);
    Term matches(const selector::Selector& selector, const LabelSet& set);
    selector::Labels labels(const LabelSet& set, const Model& model) const;

  private:
    /// The tests of single labels.
    void collect(const selector::Selector& selector, std::vector<selector::Selector>& decided);
    Term leaf(const selector::Selector& selector, const LabelSet& set);

    Terms& terms_;
    std::vector<analyzer::LabelKey> keys_;
    bool cut_ = true, guesses_ = false;
};

} // namespace polecat::smt
