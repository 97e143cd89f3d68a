// Rules that mean pods in the network of their node, which no selector matches.
#include <algorithm>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using decision::Object;
using policy::EntityRule;
using selector::Selector;

namespace {

/// Labels that people give pods: a rule for all pods of a namespace does not mean these.
bool asks_for_labels(const Selector& selector) {
    const selector::Term& term = selector.term();
    return (!term.label.empty() && !term.label.starts_with("projectcalico.org/")) ||
           std::any_of(term.children.begin(), term.children.end(), asks_for_labels);
}

} // namespace

void check_host_network_peers(Context& context, Diagnostics& out) {
    std::vector<const Object*> pods;
    for (const decision::Endpoint& endpoint : context.lowered.endpoints)
        if (endpoint.host_network)
            pods.push_back(&context.object(endpoint.object));
    if (pods.empty())
        return;
    const auto check = [&](const RuleView& view, const EntityRule& end, const char* side) {
        const std::string space = policy::is_global(view.policy.kind) ? "" : view.policy.meta.space;
        const auto peers = policy::peers_of(end, space);
        if (!peers || !end.selector || !asks_for_labels(end.selector->parsed))
            return;
        std::vector<std::string> found;
        for (const Object* pod : pods)
            if (peers->matches(pod->labels) &&
                !(end.not_selector && end.not_selector->parsed.matches(pod->labels)))
                found.push_back("pod " + pod->name);
        if (found.empty())
            return;
        const Span span = end.selector->span.known() ? end.selector->span
                          : end.span.known()         ? end.span
                                                     : view.rule.span;
        out.report(Code::HostNetworkPeer, span,
                   {listed(found), fmt::format("{} of rule {}", side, rule_name(view))})
            .about(name_of(view.policy))
            .with_hint("name the addresses of the nodes, or select their host endpoints");
    };
    each_rule(context, [&](const RuleView& view) {
        if (policy::is_staged(view.policy.kind))
            return;
        check(view, view.rule.source, "source");
        check(view, view.rule.destination, "destination");
    });
}

} // namespace polecat::lint
