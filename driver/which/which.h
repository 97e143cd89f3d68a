/// `polecat which`: which policies govern an endpoint; which endpoints does a policy or a selector
/// select?
#pragma once

#include <string>
#include <vector>

#include "driver/input/input.h"
#include "support/result.h"

namespace polecat::driver {

/// A selector and what it selects.
struct SelectedEndpoints {
    std::string title;
    Span span;                          ///< of the policy
    std::vector<std::string> endpoints; ///< names, sorted
};

/// `space` empty: of all namespaces.
Result<SelectedEndpoints> endpoints_of_selector(const decision::LoweredCluster& cluster,
                                                const std::string& selector,
                                                const std::string& space);
/// Policies of that name ("shop/web"), of any kind.
Result<std::vector<SelectedEndpoints>> endpoints_of_policy(const passes::Lowered& lowered,
                                                           const std::string& name);

/// Policies that govern an endpoint in one direction at one hook, in order.
struct GoverningPolicies {
    decision::Direction direction = decision::Direction::Ingress;
    decision::Hook hook = decision::Hook::Normal;
    std::vector<decision::PolicyBlock> policies;
};

struct Governed {
    decision::ObjectId endpoint;
    std::vector<GoverningPolicies> by; ///< empty: no policy governs it
    bool is_host_endpoint = false;
    bool on_host_network = false;   ///< a pod that shares its node's network
    std::vector<std::string> hosts; ///< the host endpoints there
};

/// `name`: as `polecat which` takes it.
Result<Governed> policies_of_endpoint(const decision::LoweredCluster& cluster,
                                      const std::string& name);

} // namespace polecat::driver
