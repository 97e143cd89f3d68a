/// Verdicts in words: which tiers, policies and rules led to one, each with its place in a file.
#pragma once

#include <string>
#include <vector>

#include "ir/decision/eval.h"
#include "ir/decision/lowered.h"
#include "ir/path/path.h"

namespace polecat::analyzer {

/// "NetworkPolicy shop/web ingress[0]", "end of tier default", "end of all policy".
std::string describe(const decision::Slot& slot, decision::Direction direction);

/// The same for who reads what allows or denies, and knows no profiles: "the default of namespace
/// shop, as no policy decides (Profile kns.shop)".
std::string decider(const decision::Slot& slot, decision::Direction direction);

struct TrailLine {
    std::string tier;    ///< "tier security", "profile kns.shop", "after all tiers"
    std::string what;    ///< the rule or end
    std::string outcome; ///< "matches: Allow", "does not match", "Deny", "not known"
    bool decisive = false;
    bool matched = true; ///< false: a rule or policy that was looked at and does not match
    std::vector<std::string> failed; ///< of a rule that does not match: which parts, in words
    Span span;
    bool would_allow = false; ///< a rule that does not match, and would allow
};

/// Every step in order, with the policies of a tier that have no rule to step on.
std::vector<TrailLine> trail_of(const decision::LoweredCluster& cluster, const ir::HopVerdict& hop);

/// Where the end of a tier denied: its policies for this endpoint and direction, which isolate it.
std::vector<const decision::PolicyBlock*> isolating(const ir::HopVerdict& hop);

/// "egress of Pod shop/web", "preDNAT ingress of HostEndpoint node1-eth0".
std::string describe(const ir::Hop& hop, const decision::World& world);
std::string_view to_string(ir::HopVerdict::Skipped skipped);

} // namespace polecat::analyzer
