/// The program of an endpoint that could exist, up to one rule: policies that it has or not. For
/// analyzer/z3/any_endpoint.cpp.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "analyzer/effects/effects.h"
#include "analyzer/z3/encode.h"
#include "ir/decision/policy_rules.h"

namespace polecat::smt {

/// Which rules before the one in question are looked at.
struct Scope {
    bool alone = false; ///< none
    /// Only these, and those that pass flows on to its tier; absent: all.
    std::optional<std::set<analyzer::RuleKey>> takers;
};

class AnyProgram {
  public:
    /// Up to the rule. `policies` must outlive it.
    AnyProgram(const decision::PolicyRules& policies, const analyzer::RuleKey& rule,
               net::Family family, const Scope& scope);

    struct Part {
        std::uint32_t policy = 0;
        std::vector<const decision::Entry*> entries;
        bool forwarded_too = false; ///< packets that a host forwards meet it
    };
    const std::vector<Part>& parts() const { return parts_; } ///< the last is the rule's policy
    const decision::PolicyRules::Policy& policy(const Part& part) const {
        return policies_.list[part.policy];
    }
    const decision::PolicyRules::Policy& own() const { return policy(parts_.back()); }
    /// It asks something of packets of the family.
    bool has_rule() const;
    std::vector<selector::Selector> subjects() const;
    std::vector<const decision::Match*> matches() const;

    /// The rule decides. `present`: the endpoint has a policy.
    Term decides(Terms& terms, Packet& packet, const AskEnd& ask,
                 const std::function<Term(const Part&)>& present) const;
    /// What eval is asked: the program of an endpoint that has these policies.
    decision::Program program(const std::function<bool(const Part&)>& present) const;
    /// The rule's entries in it.
    bool is_rule(decision::SlotId slot) const { return slot.value == kRuleSlot; }

  private:
    static constexpr std::uint32_t kRuleSlot = 1, kOtherSlot = 0;
    bool is_own(const decision::Entry& entry) const;
    std::uint32_t tier(const Part& part) const { return policies_.list[part.policy].tier; }

    const decision::PolicyRules& policies_;
    const analyzer::RuleKey rule_;
    const net::Family family_;
    std::vector<Part> parts_;
};

} // namespace polecat::smt
