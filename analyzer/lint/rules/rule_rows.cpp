// Mistakes that one rule shows by itself: a table of rows, each a code and a predicate.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analyzer/labels/label_space.h"
#include "analyzer/lint/checks.h"
#include "analyzer/lint/rules/rule_parts.h"
#include "ir/policy/felix.h"
#include "ir/policy/scope.h"
#include "support/diag/fix.h"

namespace polecat::lint {

using decision::Direction;
using policy::Action;
using policy::EntityRule;
using policy::Rule;

namespace {

/// What a row reports.
struct Report {
    Context& context;
    const RuleView& view;
    Code code;
    Diagnostics& out;

    diag::Diagnostic& at(const Span& span, std::vector<std::string> args) const {
        return out.report(code, span.known() ? span : view.rule.span, std::span(args))
            .about(name_of(view.policy));
    }
    std::string rule() const { return rule_name(view); }
    std::string rule_and(const char* side) const { return fmt::format("{} {}", rule(), side); }
};

struct Row {
    Code code;
    void (*check)(const RuleView&, const Report&);
};

template <class Act> void each_end(const Rule& rule, const Act& act) {
    act(rule.source, "source");
    act(rule.destination, "destination");
}

// --- selectors -----------------------------------------------------------------------------------

void nets_with_selector(const RuleView& view, const Report& report) {
    each_end(view.rule, [&](const EntityRule& end, const char* side) {
        const bool selects = end.selector || end.namespace_selector || end.service_accounts;
        if (selects && !end.nets.empty())
            report.at(end.nets.front().span, {report.rule_and(side)})
                .with_hint("for either, write two rules");
    });
}

void selector_without_effect(const RuleView& view, const Report& report) {
    each_end(view.rule, [&](const EntityRule& end, const char* side) {
        // What a namespaceSelector selects is in a namespace.
        if (end.selector && end.namespace_selector &&
            (end.selector->parsed.is_all() ||
             end.selector->parsed ==
                 selector::Selector::has(std::string(policy::kNamespaceLabel))) &&
            policy::is_present(end.namespace_selector) && !end.namespace_selector->parsed.is_all())
            report.at(end.selector->span, {report.rule_and(side)});
    });
}

void contradiction(const RuleView& view, const Report& report) {
    const std::string space = policy::is_global(view.policy.kind) ? "" : view.policy.meta.space;
    each_end(view.rule, [&](const EntityRule& end, const char* side) {
        const auto peers = policy::peers_of(end, space);
        if (!peers)
            return;
        std::vector<selector::Selector> excluded;
        if (end.not_selector)
            excluded.push_back(end.not_selector->parsed);
        const auto answer = analyzer::find_labels({*peers}, excluded);
        if (answer.kind != analyzer::LabelAnswer::Kind::No)
            return;
        const auto may_be = [](const std::optional<selector::Selector>& selector) {
            return selector &&
                   analyzer::find_labels({*selector}, {}).kind == analyzer::LabelAnswer::Kind::Yes;
        };
        const bool excludes_itself = end.not_selector && may_be(peers);
        // Without a namespaceSelector the policy's own namespace is meant.
        const bool of_others = !space.empty() && !policy::is_present(end.namespace_selector) &&
                               !excludes_itself && may_be(policy::peers_of(end, ""));
        auto& diagnostic = report.at(
            end.selector             ? end.selector->span
            : end.namespace_selector ? end.namespace_selector->span
                                     : end.span,
            {report.rule_and(side),
             excludes_itself ? "notSelector takes all that selector names"
             : of_others     ? "it asks for others than the pods of namespace " + space +
                               ", which alone a selector without a namespaceSelector means"
                         : std::string("the selector contradicts itself")});
        diagnostic.with_proof(
            report.context.proof_of_no_match(view, "for every set of labels that could exist"));
        if (of_others)
            diagnostic.with_hint("add a namespaceSelector for those of other namespaces");
    });
}

// --- packets -------------------------------------------------------------------------------------

std::string empty_because(const Rule& rule) {
    if (rule.protocol && rule.not_protocol && **rule.protocol == **rule.not_protocol)
        return "protocol and notProtocol exclude each other";
    if (rule.icmp && rule.not_icmp && rule.icmp->type == rule.not_icmp->type &&
        (!rule.not_icmp->code || rule.icmp->code == rule.not_icmp->code))
        return "notICMP takes all that icmp names";
    std::string out;
    each_end(rule, [&](const EntityRule& end, const char* side) {
        const net::PortSet ports = numbers_of(end.ports);
        if (!end.ports.empty() && all_numbers(end.ports) &&
            (ports - numbers_of(end.not_ports)).empty())
            out = std::string(side) + " notPorts take all ports";
        const net::AddressSet nets = set_of(end.nets);
        if (!end.nets.empty() && (nets - set_of(end.not_nets)).empty())
            out = std::string(side) + " notNets take all nets";
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            if (end.nets.empty() && set_of(end.not_nets) == net::AddressSet::all(family))
                out = std::string(side) + " notNets take all addresses";
        if (rule.protocol && !nets.empty() &&
            ((**rule.protocol == net::kIcmp && nets.of_family(net::Family::V4).empty()) ||
             (**rule.protocol == net::kIcmpV6 && nets.of_family(net::Family::V6).empty())))
            out = std::string(side) + " nets are of the IP version that the protocol is not of";
        if (rule.ip_version && !end.nets.empty() &&
            nets.of_family(**rule.ip_version == 4 ? net::Family::V4 : net::Family::V6).empty())
            out = std::string(side) + " nets are of the other IP version";
    });
    return out;
}

void empty_match(const RuleView& view, const Report& report) {
    if (const std::string why = empty_because(view.rule); !why.empty())
        report.at(view.rule.span, {report.rule(), why})
            .with_proof(report.context.proof_of_no_match(
                view, "for every endpoint and packet that could exist"));
}

void not_ports_without_effect(const RuleView& view, const Report& report) {
    each_end(view.rule, [&](const EntityRule& end, const char*) {
        if (!end.ports.empty() && !end.not_ports.empty() && all_numbers(end.ports) &&
            all_numbers(end.not_ports) &&
            (numbers_of(end.ports) & numbers_of(end.not_ports)).empty())
            report.at(end.not_ports.front().span, {report.rule()});
    });
}

/// Whether something reads requests; nullopt: the setting that says so is not in the input.
std::optional<bool> enforces_http(const Context& context) {
    if (context.settings.dataplane == Dataplane::Polecat)
        return true;
    const policy::OtherObject* felix = policy::default_felix(context.cluster);
    return felix != nullptr ? std::optional(felix->spec.has("policySyncPathPrefix")) : std::nullopt;
}

void http_ignored(const RuleView& view, const Report& report) {
    const auto enforced = enforces_http(report.context);
    if (!view.rule.http || view.rule.action != Action::Allow || enforced.value_or(false))
        return;
    const Dataplane known = report.context.dataplane();
    auto& diagnostic =
        report.at(view.rule.http->span,
                  {report.rule(), known == Dataplane::Bpf        ? "Calico's BPF dataplane"
                                  : known == Dataplane::Nftables ? "Calico's nftables dataplane"
                                                                 : "every dataplane of Calico"});
    diagnostic.with_hint("without Calico's application layer policy (policySyncPathPrefix in "
                         "FelixConfiguration) nothing reads requests");
    if (!enforced)
        diagnostic.severity = diag::Severity::Warning;
}

bool has_log_limit(const Context& context) {
    const policy::OtherObject* felix = policy::default_felix(context.cluster);
    return felix != nullptr && felix->spec.has("logActionRateLimit");
}

void log_hot(const RuleView& view, const Report& report) {
    if (view.rule.action == Action::Log && is_anybody(view.rule.source) &&
        is_anybody(view.rule.destination) && view.rule.destination.ports.empty() &&
        !view.rule.icmp && !has_log_limit(report.context)) {
        auto& diagnostic =
            report.at(view.rule.span, {report.rule()})
                .with_hint("set logActionRateLimit in FelixConfiguration, or narrow the rule");
        // A quarantine, or a policy for what is in trouble: it governs nobody for now.
        if (report.context.select(policy::subject_of(view.policy)).empty()) {
            diagnostic.severity = diag::Severity::Note;
            diagnostic.as_usual();
        }
    }
}

// --- services and accounts -----------------------------------------------------------------------

/// The namespaces whose accounts an end means.
std::set<std::string> spaces_of(const RuleView& view, const EntityRule& end,
                                const policy::Cluster& cluster) {
    const std::string& own = view.policy.meta.space;
    if (!end.namespace_selector && !policy::is_global(view.policy.kind))
        return {own};
    std::set<std::string> out;
    for (const policy::Namespace& each : cluster.namespaces)
        if (!end.namespace_selector ||
            end.namespace_selector->parsed.matches(policy::labels_of(each)))
            out.insert(each.meta.name);
    return out;
}

/// Only where the input has accounts of each namespace: else they are just not in it.
void account_missing(const RuleView& view, const Report& report) {
    const policy::Cluster& cluster = report.context.cluster;
    each_end(view.rule, [&](const EntityRule& end, const char*) {
        if (!end.service_accounts)
            return;
        const auto spaces = spaces_of(view, end, cluster);
        std::set<std::string> known, names{"default"};
        for (const policy::ServiceAccount& each : cluster.service_accounts)
            if (spaces.contains(each.meta.space)) {
                known.insert(each.meta.space);
                names.insert(each.meta.name);
            }
        if (spaces.empty() || known != spaces)
            return;
        const std::string where = listed({spaces.begin(), spaces.end()});
        for (const At<std::string>& name : end.service_accounts->names)
            if (!names.contains(*name))
                report.at(name.span, {*name, where})
                    .with_note("assumes that every service account of " + where +
                               " is in the input");
    });
}

void service_without_namespace(const RuleView& view, const Report& report) {
    each_end(view.rule, [&](const EntityRule& end, const char*) {
        if (!end.services || !end.services->space.empty())
            return;
        const policy::Metadata& own = view.policy.meta;
        auto& diagnostic = report.at(end.services->span, {report.rule()})
                               .with_hint("write services.namespace: " + own.space);
        if (!own.space_given) // where the policy goes is not known
            return;
        diag::Fix fix = diag::add_to_mapping(end.services->span, "",
                                             "{namespace: " + diag::content_word(own.space) + "}",
                                             "name the policy's namespace");
        fix.addition->after = "name";
        diagnostic.with_fix(fix);
    });
}

// --- cost ----------------------------------------------------------------------------------------

void many_ports(const RuleView& view, const Report& report) {
    each_end(view.rule, [&](const EntityRule& end, const char*) {
        std::size_t slots = 0;
        for (const policy::Port& port : end.ports)
            if (const auto* range = std::get_if<net::PortRange>(&port.value))
                slots += range->first == range->last ? 1 : 2;
        if (slots > 15) // one more rule costs next to nothing
            report.at(end.ports.front().span, {report.rule(), std::to_string(slots)})
                .with_hint("each further 15 slots make one more rule in every chain")
                .as_usual(slots <= 60);
    });
}

constexpr Row kRows[] = {
    {Code::SelectorWithNets, nets_with_selector},
    {Code::SelectorNoEffect, selector_without_effect},
    {Code::SelectorContradiction, contradiction},
    {Code::EmptyMatch, empty_match},
    {Code::NotPortsNoEffect, not_ports_without_effect},
    {Code::HttpIgnored, http_ignored},
    {Code::LogHot, log_hot},
    {Code::AccountMissing, account_missing},
    {Code::ServiceWithoutNamespace, service_without_namespace},
    {Code::ManyPorts, many_ports},
};

} // namespace

void check_rules(Context& context, Diagnostics& out) {
    each_rule(context, [&](const RuleView& view) {
        for (const Row& row : kRows)
            row.check(view, Report{context, view, row.code, out});
    });
}

} // namespace polecat::lint
