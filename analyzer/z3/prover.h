/// Has Z3 confirm what lint claims of a cluster.
#pragma once

#include <memory>
#include <string>

#include "analyzer/claim.h"
#include "analyzer/z3/questions.h"

namespace polecat::smt {

class Prover {
  public:
    /// The cluster must outlive this.
    explicit Prover(const decision::LoweredCluster& cluster, QueryOptions options = {});
    ~Prover();

    /// Whether Z3 proved the claim for every program that it is about; false: a limit was reached.
    /// Throws Disagreement when Z3 has a flow that speaks against it.
    bool confirm(const analyzer::Claim& claim);

    std::size_t proved() const;
    std::size_t undecided() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace polecat::smt
