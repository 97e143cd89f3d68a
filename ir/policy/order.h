/// Policies in the order in which Calico evaluates them.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/policy/objects.h"

namespace polecat::policy {

/// A tier that is there without a manifest (api/pkg/apis/projectcalico/v3/tier.go).
struct BuiltInTier {
    std::string_view name;
    double order;
    Action default_action;
    bool of_api = true; ///< the API server's own, which nobody may change
};
inline constexpr std::string_view kDefaultTier = "default", kAdminTier = "kube-admin",
                                  kBaselineTier = "kube-baseline";
inline constexpr BuiltInTier kBuiltInTiers[] = {
    {kAdminTier, 1'000, Action::Pass},
    {kDefaultTier, 1'000'000, Action::Deny},
    {kBaselineTier, 10'000'000, Action::Pass},
    // Calico's operator makes them: pkg/render/tiers of tigera/operator, under both of its names.
    {"allow-tigera", 100, Action::Deny, false},
    {"calico-system", 100, Action::Deny, false}};

struct OrderedTier {
    std::string name;
    Action default_action = Action::Deny;
    std::optional<double> order;
    bool exists = true; ///< false: only policies name it
    Span span;
    std::vector<const Policy*> policies; ///< in order
};

/// Every policy, Kubernetes ones as Calico ones. Points into the cluster it was made of, and into
/// itself: it can be moved, and not copied.
struct OrderedPolicies {
    OrderedPolicies() = default;
    OrderedPolicies(OrderedPolicies&&) = default;
    OrderedPolicies& operator=(OrderedPolicies&&) = default;

    std::deque<Policy> converted;
    std::vector<OrderedTier> tiers; ///< those that hold policies, in order of evaluation
};

} // namespace polecat::policy
