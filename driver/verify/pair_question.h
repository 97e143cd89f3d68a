/// One program of the policy beside what stands for it in a node's rules, as a question to Z3. For
/// driver/verify/proof.
#pragma once

#include <string>

#include "analyzer/z3/existing_ends.h"
#include "analyzer/z3/session.h"
#include "driver/verify/proved_rules.h"

namespace polecat::driver {

class PairQuestion {
  public:
    /// `policy`: without what rules can't say. All must outlive this.
    PairQuestion(const smt::ExistingEnds& ends, const decision::Program& policy,
                 RulesFormula& rules, const AskedOwn& own);

    /// Is there a packet that they judge otherwise? `tells`: also one that only one of both takes
    /// for allowed by a rule.
    smt::Answer ask(const smt::QueryOptions& options, const std::string& about, bool tells);
    /// The flow that was found.
    decision::Flow flow(const smt::Model& model) const;

  private:
    smt::EndVariables::Marks marks(const smt::ExistingEnds& ends) const;
    smt::Term allows(const decision::Program& program);

    const decision::Program& policy_;
    RulesFormula& rules_;
    const bool own_is_source_;
    const analyzer::HttpAtoms requests_; // rules ask for none
    smt::Terms terms_;
    smt::Packet packet_;
    smt::EndVariables variables_;
};

} // namespace polecat::driver
