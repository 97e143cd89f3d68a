/// The parts of lowering, for passes/lower.cpp and this folder only.
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
#include "ir/policy/order.h"
#include "ir/policy/scope.h"
#include "passes/lower.h"

namespace polecat::passes::lowering {

using policy::OrderedTier;

// --- profiles.cpp --------------------------------------------------------------------------------

/// What lowering needs of a profile. Those of namespaces and accounts have their rules made when a
/// program asks: there are many, and few of them have an endpoint on one node.
struct ProfileSource {
    policy::Labels labels;                  ///< that endpoints inherit
    const policy::Profile* given = nullptr; ///< a Profile object: its rules
    bool allows = false;                    ///< otherwise: allows all both ways, or has no rules
    Span span;
    Span labels_unread; ///< known: they could not be read, here

    std::vector<policy::Rule> rules(policy::Direction direction) const;
};

/// Profiles by name: those given, kns. and ksa. of namespaces and accounts, the built-in one.
using Profiles = std::unordered_map<std::string, ProfileSource>;
Profiles profiles_of(const policy::Cluster& cluster);

// --- world.cpp -----------------------------------------------------------------------------------

/// What grouping needs of an endpoint beside what the world says. In the order of
/// LoweredCluster::endpoints.
struct EndpointSource {
    const policy::Workload* workload = nullptr; ///< one of the two
    const policy::HostEndpoint* host_endpoint = nullptr;
    bool all_interfaces = false; ///< a host endpoint "*"
    bool governed = true;        ///< false: a host-networked pod
};

/// The profiles that it has, in order.
std::vector<std::string> profile_names(const EndpointSource& of);

/// Fills world (all but services), endpoints and names.
std::vector<EndpointSource> build_world(const policy::Cluster& cluster, const Profiles& profiles,
                                        decision::LoweredCluster& lowered);

/// Of a pool that could not be read not even the addresses are known.
bool has_unknown_pool(const policy::Cluster& cluster);

// --- services.cpp --------------------------------------------------------------------------------

/// Members of services: from slices, else from the selector. After build_world.
void build_services(const policy::Cluster& cluster, decision::LoweredCluster& lowered);
/// By its selector, in its namespace.
bool selects(const policy::Service& service, const policy::Workload& workload);

// --- rules.cpp -----------------------------------------------------------------------------------

/// Effective labels and domains of the network sets that have domains.
using DomainSets = std::vector<std::pair<selector::Labels, std::vector<At<std::string>>>>;

struct RuleContext {
    const policy::Cluster& cluster;
    decision::PredicateStore& predicates;
    const DomainSets* domain_sets;
    std::string space; ///< the policy's namespace, empty for global ones and profiles
    policy::Direction direction;
    net::Family family;
    const policy::Policy* policy = nullptr; ///< whose rules they are; nullptr: a profile's
};

/// The matches of a rule, any of which will do; none: the rule does not exist in this family. Of a
/// rule that could not be read it is not known what it matches.
std::vector<decision::Match> lower_rule(const policy::Rule& rule, const RuleContext& context);
/// What the rule may do where it matches.
std::vector<policy::Action> actions_of(const policy::Rule& rule);
/// A match of which it is never known whether it holds.
decision::Match unread_match(decision::UnreadSet what, decision::PredicateStore& predicates);
/// Whether the matches differ between IPv4 and IPv6.
bool depends_on_family(const policy::Rule& rule);
/// Names of ports that any rule of the list asks for.
void collect_port_names(const std::vector<policy::Rule>& rules, std::set<std::string>& names);

// --- groups.cpp ----------------------------------------------------------------------------------

void build_groups(const policy::Cluster& cluster, const Profiles& profiles,
                  const std::vector<OrderedTier>& tiers,
                  const std::vector<EndpointSource>& endpoints, const std::string& only_node,
                  decision::LoweredCluster& lowered);

} // namespace polecat::passes::lowering
