/// Policies in the order in which Calico evaluates them.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "ir/policy/objects.h"

namespace polecat::policy {

struct OrderedTier {
    std::string name;
    Action default_action = Action::Deny;
    std::optional<double> order;
    bool exists = true; ///< false: only policies name it
    Span span;
    std::vector<const Policy*> policies; ///< in order
};

/// Every policy, Kubernetes ones as Calico ones. Points into the cluster it was made of.
struct OrderedPolicies {
    std::deque<Policy> converted;
    std::vector<OrderedTier> tiers; ///< those that hold policies, in order of evaluation
};

} // namespace polecat::policy
