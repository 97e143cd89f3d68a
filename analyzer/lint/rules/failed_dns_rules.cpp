#include "analyzer/lint/rules/failed_dns_rules.h"

#include <algorithm>
#include <set>

#include "ir/policy/dns.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using policy::EntityRule;
using selector::Selector;
using selector::Term;

namespace {

bool is_dns_label(const Term& term) {
    return std::any_of(
        std::begin(policy::kDnsLabels), std::end(policy::kDnsLabels), [&](const auto& label) {
            return term.label == label.first && std::find(term.values.begin(), term.values.end(),
                                                          label.second) != term.values.end();
        });
}

/// A label of pods that is asked for beside that of the DNS pods; empty: there is none.
std::string added_to_dns_label(const Selector& selector) {
    std::string added;
    bool of_dns = false;
    if (selector.term().op != selector::Op::And)
        return "";
    for (const Selector& each : selector.term().children) {
        const Term& term = each.term();
        if (is_dns_label(term))
            of_dns = true;
        else if (term.op == selector::Op::Equal && !term.label.starts_with("projectcalico.org/") &&
                 !term.label.starts_with(policy::kNamespacePrefix))
            added = term.label;
    }
    return of_dns ? added : "";
}

} // namespace

FailedDnsRules::FailedDnsRules(const Context& context, const diag::Diagnostics& told,
                               const std::function<bool(const policy::Port&)>& is_of_dns) {
    std::set<Span> slips;
    for (const diag::Diagnostic& each : told.list())
        if (each.code == diag::Code::SelectorTypo && each.severity != diag::Severity::Note)
            slips.insert(each.span);
    each_rule(context, [&](const RuleView& view) {
        const EntityRule& to = view.rule.destination;
        if (view.direction != decision::Direction::Egress ||
            view.rule.action != policy::Action::Allow ||
            std::none_of(to.ports.begin(), to.ports.end(), is_of_dns))
            return;
        const auto add_slip = [&](Span span) {
            if (slips.contains(span))
                slips_.emplace(policy_name(view.policy), span);
        };
        add_slip(to.span);
        for (const auto* field : {&to.selector, &to.namespace_selector})
            if (policy::is_present(*field))
                add_slip((*field)->span);
        if (!policy::is_present(to.selector))
            return;
        if (std::string label = added_to_dns_label(to.selector->parsed); !label.empty())
            narrowed_.emplace(policy_name(view.policy),
                              NarrowedRule{rule_name(view), std::move(label)});
    });
}

std::optional<Span> FailedDnsRules::slip_of(const decision::GroupProgram& program) const {
    for (const auto& [key, span] : slips_)
        if (governs(key, program))
            return span;
    return std::nullopt;
}

const NarrowedRule* FailedDnsRules::narrowed(const decision::GroupProgram& program) const {
    for (const auto& [key, rule] : narrowed_)
        if (governs(key, program))
            return &rule;
    return nullptr;
}

bool governs(const policy::PolicyName& key, const decision::GroupProgram& program) {
    const auto& policies = program.slots.policies();
    return std::any_of(policies.begin(), policies.end(),
                       [&](const auto& each) { return !each.staged && each.policy == key; });
}

} // namespace polecat::lint
