#include "analyzer/z3/any_program.h"

#include <algorithm>

#include "ir/policy/scope.h"

namespace polecat::smt {

using analyzer::RuleKey;
using decision::Action;
using decision::Direction;
using decision::Entry;
using decision::PolicyRules;

namespace {

std::string space_of(const policy::Policy& policy) {
    return policy::is_global(policy.kind) ? "" : policy.meta.space;
}

/// Policies of two namespaces have no endpoint in common.
bool share_endpoints(const policy::Policy& a, const policy::Policy& b) {
    const std::string mine = space_of(a), other = space_of(b);
    return mine.empty() || other.empty() || mine == other;
}

/// One behind the last entry of a rule; 0: it has none.
std::size_t last_of(const std::vector<Entry>& entries, std::uint32_t rule) {
    std::size_t behind = entries.size();
    while (behind > 0 && entries[behind - 1].slot.value != rule)
        --behind;
    return behind;
}

} // namespace

AnyProgram::AnyProgram(const PolicyRules& policies, const RuleKey& rule, net::Family family,
                       const Scope& scope)
    : policies_(policies), rule_(rule), family_(family) {
    const auto own =
        std::find_if(policies.list.begin(), policies.list.end(),
                     [&](const auto& each) { return policy_name(*each.policy) == rule.policy; });
    if (own == policies.list.end())
        return;
    for (auto each = policies.list.begin(); each <= own; ++each) {
        const bool governs = rule.direction == Direction::Ingress ? each->policy->ingress_type
                                                                  : each->policy->egress_type;
        if (!governs || !share_endpoints(*each->policy, *own->policy) ||
            (each != own && policy::is_staged(each->policy->kind)))
            continue;
        Part part{static_cast<std::uint32_t>(each - policies.list.begin()),
                  {},
                  *each->policy->apply_on_forward};
        const auto program =
            each->programs[rule.direction == Direction::Egress][family == net::Family::V6];
        const auto& entries = policies.rules.program(program).stages.front().entries;
        // What comes after the rule is of no interest.
        const std::size_t behind = each == own ? last_of(entries, rule.index) : entries.size();
        for (std::size_t i = 0; i < behind; ++i) {
            const Entry& entry = entries[i];
            const RuleKey key{policy_name(*each->policy), rule.direction, entry.slot.value};
            const bool passes_on = entry.action == Action::Pass && each->tier != own->tier;
            const bool counts =
                !scope.alone && (!scope.takers || passes_on || scope.takers->contains(key));
            if (counts || key == rule)
                part.entries.push_back(&entry);
        }
        // A policy left out with all its rules only lets more flows out of its tier.
        if (!part.entries.empty() || (!scope.alone && !scope.takers))
            parts_.push_back(std::move(part));
    }
}

bool AnyProgram::is_own(const Entry& entry) const {
    return entry.slot.value == rule_.index;
}

bool AnyProgram::has_rule() const {
    return !parts_.empty() &&
           std::any_of(parts_.back().entries.begin(), parts_.back().entries.end(),
                       [&](const Entry* entry) { return is_own(*entry); });
}

std::vector<selector::Selector> AnyProgram::subjects() const {
    std::vector<selector::Selector> out;
    for (const Part& part : parts_)
        out.push_back(policy(part).subject);
    return out;
}

std::vector<const decision::Match*> AnyProgram::matches() const {
    std::vector<const decision::Match*> out;
    for (const Part& part : parts_)
        for (const Entry* entry : part.entries)
            out.push_back(&*entry->match);
    return out;
}

Term AnyProgram::decides(Terms& terms, Packet& packet, const AskEnd& ask,
                         const std::function<Term(const Part&)>& present) const {
    Term rest = terms.truth(true);
    std::vector<Term> passed, some, decided;
    std::uint32_t at = 0;
    const auto end_tier = [&] {
        const Term no_policy = terms.negate(terms.any_of(some));
        passed.push_back(terms.both(rest, policies_.passes[at] ? terms.truth(true) : no_policy));
        rest = terms.any_of(std::move(passed));
        passed = {};
        some = {};
    };
    for (const Part& part : parts_) {
        for (; at < tier(part); ++at)
            end_tier();
        const Term here = present(part);
        some.push_back(here);
        for (const Entry* entry : part.entries) {
            const Bounds match = encode(entry->match, terms, packet, ask);
            if (&part == &parts_.back() && is_own(*entry))
                decided.push_back(terms.both(rest, match.may));
            if (entry->action == Action::Log)
                continue;
            if (entry->action == Action::Pass)
                passed.push_back(terms.all_of({rest, here, match.may}));
            rest = terms.except(rest, terms.both(here, match.yes));
        }
    }
    return terms.any_of(std::move(decided));
}

decision::Program AnyProgram::program(const std::function<bool(const Part&)>& present) const {
    decision::Program out;
    out.direction = rule_.direction;
    out.family = family_;
    std::optional<std::uint32_t> at;
    for (const Part& part : parts_) {
        if (!present(part))
            continue;
        if (at != tier(part))
            out.stages.emplace_back();
        at = tier(part);
        decision::Stage& stage = out.stages.back();
        stage.end = stage.staged_end =
            policies_.passes[*at] ? decision::StageEnd::Next : decision::StageEnd::Deny;
        for (const Entry* entry : part.entries) {
            stage.entries.push_back(*entry);
            const bool is_rule = &part == &parts_.back() && is_own(*entry);
            stage.entries.back().slot = decision::SlotId{is_rule ? kRuleSlot : kOtherSlot};
        }
    }
    return out;
}

} // namespace polecat::smt
