/// Rules that are meant to let endpoints ask DNS, and let nobody. For analyzer/lint only.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "analyzer/lint/context.h"

namespace polecat::lint {

/// A rule that asks the DNS pods for a label which they don't have.
struct NarrowedRule {
    std::string rule; ///< "egress[0]"
    std::string label;
};

class FailedDnsRules {
  public:
    /// `told`: what was found of selectors. `is_of_dns`: a port of the servers.
    FailedDnsRules(const Context& context, const diag::Diagnostics& told,
                   const std::function<bool(const policy::Port&)>& is_of_dns);

    /// The slip in a selector that was told of such a rule, of a policy of the program.
    std::optional<Span> slip_of(const decision::GroupProgram& program) const;
    /// nullptr: no policy of the program has such a rule.
    const NarrowedRule* narrowed(const decision::GroupProgram& program) const;

  private:
    std::map<policy::PolicyName, Span> slips_;
    std::map<policy::PolicyName, NarrowedRule> narrowed_;
};

/// The program has the policy, and not as a staged one.
bool governs(const policy::PolicyName& key, const decision::GroupProgram& program);

} // namespace polecat::lint
