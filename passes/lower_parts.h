/// The parts of lowering, for passes/lower*.cpp only.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "ir/decision/lowered.h"
#include "ir/policy/cluster.h"
#include "passes/lower.h"

namespace polecat::passes::lowering {

inline constexpr std::string_view kNamespaceLabel = "projectcalico.org/namespace";
inline constexpr std::string_view kServiceAccountLabel = "projectcalico.org/serviceaccount";
inline constexpr std::string_view kOrchestratorLabel = "projectcalico.org/orchestrator";
inline constexpr std::string_view kNamespacePrefix = "pcns.";
inline constexpr std::string_view kServiceAccountPrefix = "pcsa.";

// --- lower_profiles.cpp --------------------------------------------------------------------------

/// Profiles by name: those given, kns. and ksa. of namespaces and accounts, the built-in one.
using Profiles = std::unordered_map<std::string, policy::Profile>;
Profiles profiles_of(const policy::Cluster& cluster);
/// The profiles that a workload has, in order.
std::vector<std::string> profile_names(const policy::Workload& workload);
std::vector<std::string> profile_names(const policy::HostEndpoint& endpoint);

// --- lower_world.cpp -----------------------------------------------------------------------------

/// What grouping needs of an endpoint beside what the world says. In the order of
/// LoweredCluster::endpoints.
struct EndpointSource {
    std::vector<std::string> profiles;
    bool is_host_endpoint = false;
    bool all_interfaces = false; ///< a host endpoint "*"
    bool governed = true;        ///< false: a host-networked pod
};

/// Fills world (all but services), endpoints and names.
std::vector<EndpointSource> build_world(const policy::Cluster& cluster, const Profiles& profiles,
                                        decision::LoweredCluster& lowered);

// --- lower_services.cpp --------------------------------------------------------------------------

/// Members of services: from slices, else from the selector. After build_world.
void build_services(const policy::Cluster& cluster, decision::LoweredCluster& lowered);

// --- lower_selectors.cpp -------------------------------------------------------------------------

/// Which endpoints a policy is for.
selector::Selector subject_of(const policy::Policy& policy);
bool is_global(policy::PolicyKind kind);
/// Which endpoints and sets one end of a rule names; nullopt: it does not say. `space`: the
/// namespace of the policy, empty for global ones.
std::optional<selector::Selector> peers_of(const policy::EntityRule& entity,
                                           const std::string& space);
/// A selector field that says something.
bool is_present(const Box<policy::SelectorField>& field);

// --- lower_rules.cpp -----------------------------------------------------------------------------

/// Effective labels and domains of the network sets that have domains.
using DomainSets = std::vector<std::pair<selector::Labels, std::vector<At<std::string>>>>;

struct RuleContext {
    const policy::Cluster& cluster;
    decision::PredicateStore& predicates;
    const DomainSets* domain_sets;
    std::string space; ///< the policy's namespace, empty for global ones and profiles
    policy::Direction direction;
    net::Family family;
};

/// The matches of a rule, any of which will do; none: the rule does not exist in this family.
std::vector<decision::Match> lower_rule(const policy::Rule& rule, const RuleContext& context);
/// Names of ports that any rule of the list asks for.
void collect_port_names(const std::vector<policy::Rule>& rules, std::set<std::string>& names);

// --- lower_order.cpp -----------------------------------------------------------------------------

struct OrderedTier {
    std::string name;
    policy::Action default_action = policy::Action::Deny;
    std::optional<double> order;
    bool exists = true; ///< false: only policies name it
    Span span;
    std::vector<const policy::Policy*> policies; ///< in order
};

/// Kubernetes policies as Calico ones.
std::deque<policy::Policy> converted_policies(const policy::Cluster& cluster);
/// All tiers that hold policies, in order of evaluation.
std::vector<OrderedTier> order_policies(const policy::Cluster& cluster,
                                        const std::deque<policy::Policy>& converted);

// --- lower_groups.cpp ----------------------------------------------------------------------------

void build_groups(const policy::Cluster& cluster, const Profiles& profiles,
                  const std::vector<OrderedTier>& tiers,
                  const std::vector<EndpointSource>& endpoints, const std::string& only_node,
                  decision::LoweredCluster& lowered);

} // namespace polecat::passes::lowering
