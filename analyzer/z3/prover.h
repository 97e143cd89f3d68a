/// Has Z3 confirm what lint claims of a cluster.
#pragma once

#include <map>
#include <vector>

#include "analyzer/effects/claim.h"
#include "analyzer/z3/questions.h"
#include "ir/decision/policy_rules.h"

namespace polecat::smt {

/// For each claim about the endpoints that exist whether Z3 proved it for every program that it is
/// about; false: a limit was reached. Throws Disagreement when Z3 has a flow that speaks against
/// one.
std::vector<bool> confirm(const decision::LoweredCluster& cluster,
                          const std::vector<analyzer::Claim>& claims,
                          const QueryOptions& options = {});

/// The same of claims about every endpoint that could exist (Claim::is_about_all). `covered`: what
/// takes the flows of each rule, as the exact algebra says.
std::vector<bool>
confirm_anywhere(const decision::PolicyRules& policies,
                 const std::map<analyzer::RuleKey, std::vector<analyzer::RuleKey>>& covered,
                 const std::vector<analyzer::Claim>& claims, const QueryOptions& options = {});

} // namespace polecat::smt
