/// Does a rule decide anything at some endpoint that could exist? Asked over all sets of labels of
/// the endpoint, all ends of flows and all packets, answered by Z3. Shares the classes of labels'
/// values with analyzer/effects/every_endpoint, which it checks, and nothing of its search.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyzer/algebra/http_atoms.h"
#include "analyzer/effects/effects.h"
#include "analyzer/z3/any_program.h"
#include "analyzer/z3/session.h"
#include "ir/decision/eval.h"
#include "ir/decision/policy_rules.h"

namespace polecat::smt {

/// What shows that a rule decides.
struct AnyWitness {
    selector::Labels endpoint;           ///< of the endpoint that has the policy
    bool forwarded = false;              ///< the packet is one that a host forwards
    std::vector<selector::Labels> peers; ///< of what holds the source's address, then the other's
    decision::Flow flow;
};

struct AnyAnswer {
    Answer::Kind kind = Answer::Kind::Unknown;
    std::optional<AnyWitness> witness; ///< Yes; eval agreed
    std::string reason;                ///< Unknown
};

class AnyEndpoint {
  public:
    /// `policies` must outlive it.
    explicit AnyEndpoint(const decision::PolicyRules& policies, QueryOptions options = {});

    /// Yes: there is a flow that the rule matches and nothing before it takes. No: proved. With
    /// `takers` it is first tried with these rules only: others are left out, but for those that
    /// pass flows on to the rule's tier, so that what is refuted so is refuted.
    AnyAnswer decides(const analyzer::RuleKey& rule,
                      const std::vector<analyzer::RuleKey>& takers = {});

    /// Is there a flow that the rule matches?
    AnyAnswer matches(const analyzer::RuleKey& rule);

  private:
    AnyAnswer ask(const analyzer::RuleKey& rule, net::Family family, const Scope& scope);

    const decision::PolicyRules& policies_;
    const analyzer::HttpAtoms requests_;
    const QueryOptions options_;
};

} // namespace polecat::smt
