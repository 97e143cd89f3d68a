/// The text of rules that let one flow through, in the words of the policy's own kind.
#pragma once

#include <string>

#include "ir/decision/flow.h"
#include "ir/decision/lowered.h"
#include "support/result.h"

namespace polecat::driver {

struct RuleWanted {
    policy::PolicyName policy;
    decision::Direction direction = decision::Direction::Ingress;
    decision::Flow flow;       ///< as the policy sees it
    bool name_own_end = false; ///< the policy selects others than the flow's own end, too
};

/// One entry of `ingress` or `egress`; an error says why the kind has no words for it.
Result<std::string> rule_text(const decision::LoweredCluster& cluster, const RuleWanted& wanted);

} // namespace polecat::driver
