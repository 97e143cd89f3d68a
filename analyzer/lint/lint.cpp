#include "analyzer/lint/lint.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "analyzer/lint/checks.h"

namespace polecat::lint {

namespace {

using Check = void (*)(Context&, Diagnostics&);

constexpr Check kChecks[] = {
    check_enforcement,
    check_rules,
    check_world_rules,
    check_kubernetes,
    check_calico_bugs,
    check_dead_rules,
    check_namespace_labels, // before check_selections, which leaves alone what is said here
    check_host_network_peers,
    check_host_peers,
    check_selections,
    check_own_side,
    check_coverage,
    check_dns,
    check_host_endpoints,
    check_services,
    check_ports,
    check_deaf_ports,
    check_tiers,
    check_ipam,
    check_ipam_requests,
    check_installation,
    check_felix,
    check_cost,
    check_intent,
    check_metadata,
    check_bgp,
    check_selector_surprises,
    check_selector_variants,
    check_route_priorities,
    check_request_routes,
    check_node_addresses,
    check_service_addresses,
    check_deny_only,
    check_host_policies,
    check_pool_addresses,
};

/// The Tier objects of a cluster are often in another repository than its policies, beside a team's
/// own: that the input lacks one says little. What such a policy does is not known.
void lower_missing_tiers(const Context& context, Diagnostics& findings) {
    if (context.extent.is_whole())
        return;
    findings.keep_if([](diag::Diagnostic& each) {
        if (each.code != Code::MissingTier || (each.hint && each.hint->starts_with("did you mean")))
            return true;
        each.severity = diag::Severity::Warning;
        each.with_note("if the Tier object is elsewhere, read it as well");
        return true;
    });
}

bool is_unused_thing(Code code) {
    return code == Code::PeerForNobody || code == Code::FilterUnused ||
           code == Code::NetworkSetUnused;
}

/// What one variant of a cluster does to another is nothing.
void drop_between_variants(const policy::Cluster& cluster, Diagnostics& findings) {
    const auto& list = findings.list();
    const bool replaced = std::any_of(list.begin(), list.end(), [](const diag::Diagnostic& each) {
        return each.code == Code::SeveralVariants &&
               each.object.find("Policy ") != std::string::npos;
    });
    if (cluster.variants.empty() && !replaced)
        return;
    findings.keep_if([&](const diag::Diagnostic& each) {
        const bool of_policies = replaced && each.code == Code::NetworkSetUnused;
        if (of_policies ||
            (is_unused_thing(each.code) && cluster.variants.contains(each.span.file)))
            return false; // what uses it may be what another variant replaced
        return each.labels.empty() || each.code == Code::SeveralVariants ||
               each.code == Code::DuplicateObject ||
               std::any_of(each.labels.begin(), each.labels.end(), [&](const diag::Label& label) {
                   return cluster.may_meet(each.span, label.span);
               });
    });
}

/// A chart is not rendered: what matches nothing may be what comes of it.
void lower_beside_charts(Diagnostics& findings) {
    const auto& list = findings.list();
    if (std::none_of(list.begin(), list.end(),
                     [](const auto& each) { return each.code == Code::UnrenderedChart; }))
        return;
    findings.keep_if([](diag::Diagnostic& each) {
        if (each.code == Code::SelectsNothing || each.code == Code::PeerMatchesNothing) {
            each.severity = diag::Severity::Note;
            each.as_usual();
            each.with_note("charts of the input are not rendered, whose pods may be meant");
        }
        return true;
    });
}

/// What selects nothing whatever there is matches nothing of what there is, either; and a rule that
/// matches no packet opens nothing to the world.
void drop_behind_contradictions(Diagnostics& findings) {
    using Place = std::tuple<FileId, std::uint32_t, std::string>; // its line, and the object
    std::set<Place> contradicting;
    std::set<std::pair<Span, std::string>> empty;
    const auto place_of = [](const diag::Diagnostic& each) {
        return Place{each.span.file, each.span.line, each.object};
    };
    for (const diag::Diagnostic& each : findings.list())
        if (each.code == Code::SelectorContradiction)
            contradicting.insert(place_of(each));
        else if (each.code == Code::EmptyMatch)
            empty.emplace(each.span, each.object);
    if (contradicting.empty() && empty.empty())
        return;
    findings.keep_if([&](const diag::Diagnostic& each) {
        const bool of_selector =
            each.code == Code::PeerMatchesNothing || each.code == Code::SelectsNothing;
        const bool of_world = each.code == Code::WorldIngress || each.code == Code::WorldEgress;
        return !(of_selector && contradicting.contains(place_of(each))) &&
               !(of_world && empty.contains({each.span, each.object}));
    });
}

/// A rule whose peer matches nothing can go, as can a policy that has no other: told at the peer.
void drop_behind_peers(Context& context, Diagnostics& findings) {
    using Place = std::tuple<FileId, std::uint32_t, std::string>; // its line, and the object
    std::set<Place> told;
    std::map<std::string, std::size_t> of_policy;
    for (const diag::Diagnostic& each : findings.list())
        if ((each.code == Code::PeerMatchesNothing || each.code == Code::SelectorTypo) &&
            told.emplace(each.span.file, each.span.line, each.object).second)
            ++of_policy[each.object];
    std::map<std::string, std::size_t> rules;
    if (!told.empty())
        each_rule(context, [&](const RuleView& view) { ++rules[name_of(view.policy)]; });
    findings.keep_if([&](const diag::Diagnostic& each) {
        if (each.code == Code::RedundantPolicy)
            return !of_policy.contains(each.object) || of_policy[each.object] < rules[each.object];
        return each.code != Code::RedundantRule ||
               !told.contains({each.span.file, each.span.line, each.object});
    });
}

} // namespace

void run(Context& context, diag::Diagnostics& diagnostics) {
    for (const Check check : kChecks)
        check(context, diagnostics);
    lower_missing_tiers(context, diagnostics);
    drop_between_variants(context.cluster, diagnostics);
    lower_beside_charts(diagnostics);
    drop_behind_contradictions(diagnostics);
    drop_behind_peers(context, diagnostics);
}

} // namespace polecat::lint
