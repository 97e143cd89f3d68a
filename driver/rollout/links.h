/// Which programs on which nodes make a flow that opens or closes: what `polecat diff --on-nodes`
/// says of each row.
#pragma once

#include <memory>
#include <vector>

#include "driver/diff/rows.h"
#include "driver/session.h"

namespace polecat::driver {

class RuleLinks {
  public:
    /// Compiles the programs of both, HEAD's with the numbers of BASE. Both must outlive it.
    RuleLinks(Session& base, Session& head);
    ~RuleLinks();
    RuleLinks(const RuleLinks&) = delete;
    RuleLinks& operator=(const RuleLinks&) = delete;

    /// Of the ends where the verdict changes; endpoints that are on no node have none.
    std::vector<RuleLink> of(const DiffRow& row);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace polecat::driver
