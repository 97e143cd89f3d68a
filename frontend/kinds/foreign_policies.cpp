#include "frontend/kinds/foreign_policies.h"

#include <algorithm>

#include "frontend/kinds/groups.h"
#include "frontend/kinds/kinds.h"
#include "frontend/kinds/other_kinds.h"
#include "support/listed.h"

namespace polecat::frontend {

namespace {

/// Its state of IPAM, what only its enterprise edition has, and the configuration of its tools hold
/// no policy.
bool is_policy_of_calico(std::string_view kind) {
    constexpr std::string_view kWords[] = {"Policy", "Policies", "Rule", "Firewall"};
    return kind != "EgressGatewayPolicy" &&
           std::any_of(std::begin(kWords), std::end(kWords), [&](std::string_view word) {
               return kind.find(word) != std::string_view::npos;
           });
}

template <class Test> bool any_within(const yaml::Node& node, const Test& test) {
    return std::any_of(node.items.begin(), node.items.end(),
                       [&](const yaml::Node& each) { return any_within(each, test); }) ||
           std::any_of(node.members.begin(), node.members.end(), [&](const yaml::Member& each) {
               return test(each) || any_within(each.value, test);
           });
}

/// Kyverno's policies are about any object. Those count that make or change network policy, or
/// labels, by which it selects.
bool is_policy_of_kyverno(const yaml::Node& root) {
    const bool changes = any_within(root, [](const yaml::Member& each) {
        return each.key == "generate" || each.key == "mutate" || each.key == "mutations";
    });
    const auto concerns = [](const yaml::Member& each) {
        return each.value.text.find("NetworkPolicy") != std::string::npos ||
               std::any_of(each.value.items.begin(), each.value.items.end(),
                           [](const yaml::Node& item) {
                               return item.text.find("NetworkPolicy") != std::string::npos;
                           });
    };
    const auto labels = [](const yaml::Member& each) {
        const auto is_labels = [](const yaml::Member& within) {
            return within.key == "labels" || within.key == "+(labels)";
        };
        return each.key == "mutate" && any_within(each.value, is_labels);
    };
    return changes && (any_within(root, concerns) || any_within(root, labels));
}

/// Of another release or edition: in the group, and known nowhere.
bool is_unknown(std::string_view group, std::string_view kind) {
    return is_slip({std::string(group), std::string(kind)}) && versions_of_kind(kind, "").empty();
}

} // namespace

bool is_foreign_policy(std::string_view group, std::string_view kind, const yaml::Node& root) {
    if (group == "kyverno.io" || group.ends_with(".kyverno.io"))
        return kind.ends_with("Policy") && is_policy_of_kyverno(root);
    if (group == "projectcalico.org" || group == "crd.projectcalico.org")
        return (is_policy_of_calico(kind) || is_unknown(group, kind)) &&
               kinds_meant({std::string(group), std::string(kind)}).empty();
    return is_known_as(OtherUse::Policy, group, kind);
}

void note_foreign_policy(const yaml::Node& root, const std::string& api_version,
                         const std::string& kind, policy::Cluster& cluster) {
    policy::UnreadKind& noted = cluster.foreign_policies[api_version + " " + kind];
    if (noted.count++ != 0)
        return;
    const yaml::Node* where = root.find("kind");
    noted.first = where != nullptr ? where->span : root.span;
}

void report_foreign_policies(const policy::Cluster& cluster, diag::Diagnostics& diagnostics) {
    for (const auto& [kind, noted] : cluster.foreign_policies)
        diagnostics
            .report(diag::Code::ForeignPolicy, noted.first, {kind, counted(noted.count, "object")})
            .with_note("answers and findings are those of the policies that are read; these may "
                       "deny, or open, more")
            .with_hint("what they say has to be judged beside");
}

} // namespace polecat::frontend
