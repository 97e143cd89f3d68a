/// What each rule, policy and tier of a cluster does, for the endpoints that exist and every
/// outside address: exact, over all programs. The basis of lint's findings about rules that never
/// match, are shadowed or superfluous.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/effects/unit_effect.h"
#include "ir/decision/identity.h"
#include "ir/decision/lowered.h"

namespace polecat::analyzer {

using policy::PolicyName;

struct RuleKey {
    policy::PolicyName policy;
    decision::Direction direction = decision::Direction::Ingress;
    std::uint32_t index = 0; ///< in the manifest's list
    auto operator<=>(const RuleKey&) const = default;
};
std::string to_string(const RuleKey& key); ///< "NetworkPolicy shop/web ingress[0]"

/// One flow that shows something: two groups of ends and what is sent.
struct FlowExample {
    net::Family family = net::Family::V4;
    std::string source, destination; ///< an endpoint's name or an address
    std::string connections;
};

struct RuleEffect {
    decision::Slot slot; ///< tier, action, place
    UnitEffect effect;
    /// Of a rule that matches but never decides: the rules that take its flows. Not where all are
    /// of Kubernetes' NetworkPolicy, whose rules have no order.
    std::vector<RuleKey> taken_by;
    std::vector<std::string> taken_by_ends; ///< earlier tiers of which the end denies such flows
    std::optional<FlowExample> example;     ///< of a flow that is taken
};

struct PolicyEffect {
    decision::PolicyBlock block; ///< tier, place in a file
    UnitEffect effect;
    std::size_t endpoints = 0; ///< that it governs
};

struct TierEffect {
    UnitEffect effect;
    Span span;
};

/// The policies of a tier that govern some endpoint, in their order.
struct PolicyGroup {
    std::string tier;
    decision::Direction direction = decision::Direction::Ingress;
    std::vector<PolicyName> policies;
    auto operator<=>(const PolicyGroup&) const = default;
};

struct Effects {
    std::map<RuleKey, RuleEffect> rules;
    std::map<PolicyName, PolicyEffect> policies; ///< of both directions together
    std::map<std::string, TierEffect> tiers;
    /// Policies of which each is needed for the endpoints that they govern, and that could go all
    /// together; with one of the endpoints.
    std::map<PolicyGroup, std::string> vacuous;
    /// Policies of one tier and order of which one allows what the other does not, the first of
    /// them first; with a flow about which they disagree.
    std::map<std::pair<PolicyName, PolicyName>, FlowExample> conflicts;
    /// A policy of Calico, and a ClusterNetworkPolicy of a later tier that would decide otherwise
    /// what it decides; with such a flow.
    std::map<std::pair<PolicyName, PolicyName>, FlowExample> overruled;
};

/// Staged policies are not looked at.
Effects effects_of(const decision::LoweredCluster& cluster, const decision::Identities& identities);

} // namespace polecat::analyzer
