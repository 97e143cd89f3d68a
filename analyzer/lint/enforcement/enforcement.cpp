// Will it be enforced at all: names, types, staged policies, what Calico drops.
#include <map>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "ir/policy/scope.h"
#include "ir/policy/text.h"
#include "support/diag/fix.h"

namespace polecat::lint {

using policy::Policy;

namespace {

std::string rule_name(const char* direction, std::size_t index) {
    return fmt::format("{}[{}]", direction, index);
}

void check_tier_prefix(const Context& context, Diagnostics& out) {
    std::vector<std::string> tiers{"default"};
    for (const policy::Tier& tier : context.cluster.tiers)
        tiers.push_back(tier.meta.name);
    const bool prefixed = context.settings.calico_version.value_or(332) < 332;
    for (const Policy& policy : context.cluster.policies) {
        if (policy.place_unread || policy.meta.unread.known())
            continue;
        const std::string& name = policy.meta.name;
        const std::string prefix = name.substr(0, name.find('.'));
        const bool names_tier = prefix.size() != name.size() &&
                                std::find(tiers.begin(), tiers.end(), prefix) != tiers.end();
        if (names_tier && prefix != *policy.tier)
            out.report(Code::TierNamePrefix, policy.meta.span,
                       {name, *policy.tier, "tier " + prefix})
                .about(name_of(policy))
                .with_label(policy.tier.span, "the tier that counts")
                .with_hint("the field decides, not the name; make them agree");
        else if (prefixed && !names_tier && *policy.tier != "default")
            out.report(Code::TierNamePrefix, policy.meta.span, {name, *policy.tier, "no tier"})
                .about(name_of(policy))
                .with_hint(
                    fmt::format("before 3.32 Calico's API wants `{}.{}`", *policy.tier, name));
    }
}

/// An empty egress list may be meant to isolate, which it does not.
std::optional<diag::Fix> write_types(const policy::KubernetesNetworkPolicy& policy) {
    if (policy.egress_emptied)
        return std::nullopt;
    diag::Fix fix = diag::add_to_object(policy.meta.span, "spec.policyTypes",
                                        policy.egress.empty() ? "[Ingress]" : "[Ingress, Egress]",
                                        "write the policyTypes that Kubernetes infers");
    fix.addition->after = "podSelector";
    return fix;
}

/// A kustomization gives it a namespace.
bool is_placed_elsewhere(const Context& context, const policy::Metadata& meta) {
    return context.cluster.placed_elsewhere.contains(meta.span.file);
}

void check_omissions(const Context& context, Diagnostics& out) {
    for (const policy::KubernetesNetworkPolicy& each : context.cluster.kubernetes_policies) {
        if (each.meta.unread.known())
            continue;
        const std::string name = to_string(policy_name(each));
        if (!each.types_given && each.staged_action != "Delete")
            out.report(Code::TypesOmitted, each.meta.span,
                       {each.egress.empty() ? "only ingress is isolated"
                                            : "both directions are isolated, as egress is there"})
                .about(name)
                .with_hint("readers infer it differently; write it")
                .with_fix(write_types(each));
        if (!each.meta.space_given && !is_placed_elsewhere(context, each.meta))
            out.report(Code::NamespaceOmitted, each.meta.span).about(name);
    }
    for (const Policy& each : context.cluster.policies)
        if (!policy::is_global(each.kind) && !each.meta.space_given && !each.meta.unread.known() &&
            !is_placed_elsewhere(context, each.meta))
            out.report(Code::NamespaceOmitted, each.meta.span).about(name_of(each));
}

/// Peers that Calico's conversion of ClusterNetworkPolicy fails on
/// (clusternetworkpolicy.go, k8sClusterNetPolHandleFailedRules).
void check_cluster_rules(const Context& context, const policy::ClusterNetworkPolicy& policy,
                         const std::vector<policy::ClusterRule>& rules, const char* direction,
                         Diagnostics& out) {
    const bool calico = policy::has_calico_objects(context.cluster); // as lowering decides
    if (!calico && context.settings.dataplane == Dataplane::Polecat)
        return;
    for (std::size_t i = 0; i < rules.size(); ++i)
        for (const policy::ClusterPeer& peer : rules[i].peers) {
            const char* kind = peer.nodes             ? "nodes"
                               : peer.domains.empty() ? nullptr
                                                      : "domainNames";
            if (kind == nullptr)
                continue;
            auto& diagnostic = out.report(*rules[i].action == "Accept" ? Code::ClusterAllowDropped
                                                                       : Code::ClusterRuleDeniesAll,
                                          peer.span, {rule_name(direction, i), kind})
                                   .about(policy.kind + " " + policy.meta.name)
                                   .with_hint("name the addresses by `networks`");
            if (!calico) {
                diagnostic.severity = diag::Severity::Warning;
                diagnostic.with_note(
                    "nothing in the input is Calico's, so answers take the peer as the API says");
            }
            break;
        }
}

void check_cluster_policies(const Context& context, Diagnostics& out) {
    for (const policy::ClusterNetworkPolicy& each : context.cluster.cluster_policies) {
        check_cluster_rules(context, each, each.ingress, "ingress", out);
        check_cluster_rules(context, each, each.egress, "egress", out);
        const auto version = context.settings.calico_version;
        if (each.kind == "ClusterNetworkPolicy" || version.value_or(332) < 332 ||
            context.settings.dataplane == Dataplane::Polecat)
            continue;
        auto& diagnostic = out.report(Code::OldAdminPolicy, each.meta.span, {each.kind});
        diagnostic.about(each.kind + " " + each.meta.name)
            .with_note("answers of polecat follow it, as Calico 3.29 to 3.31 and other systems do")
            .with_hint("write it as policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy");
        if (version)
            diagnostic.severity = diag::Severity::Error;
        else if (!policy::has_calico_objects(context.cluster))
            diagnostic.severity = diag::Severity::Note; // other systems follow it
    }
}

/// What a policy says, without its name and kind.
std::string meaning_of(Policy policy) {
    policy.kind = policy::PolicyKind::NetworkPolicy;
    policy.meta = {};
    policy.staged_action.clear();
    return policy::to_text(policy);
}

policy::PolicyKind enforced_kind(policy::PolicyKind staged) {
    return staged == policy::PolicyKind::StagedGlobalNetworkPolicy
               ? policy::PolicyKind::GlobalNetworkPolicy
           : staged == policy::PolicyKind::StagedNetworkPolicy
               ? policy::PolicyKind::NetworkPolicy
               : policy::PolicyKind::KubernetesNetworkPolicy;
}

void check_staged(const Context& context, Diagnostics& out) {
    std::map<std::tuple<policy::PolicyKind, std::string, std::string>, const Policy*> enforced;
    each_policy(context, [&](const policy::OrderedTier&, const Policy& policy) {
        if (!policy::is_staged(policy.kind))
            enforced[{policy.kind, policy.meta.space, policy.meta.name}] = &policy;
    });
    each_policy(context, [&](const policy::OrderedTier&, const Policy& policy) {
        if (!policy::is_staged(policy.kind) || policy.staged_action == "Delete")
            return;
        const auto found =
            enforced.find({enforced_kind(policy.kind), policy.meta.space, policy.meta.name});
        if (found == enforced.end())
            return;
        const Policy& twin = *found->second;
        const auto order = [](const Policy& p) { return p.order ? **p.order : 1e300; };
        const bool tier = *policy.tier != *twin.tier;
        if (tier || order(policy) != order(twin))
            out.report(Code::StagedMismatch, policy.meta.span,
                       {name_of(twin), tier ? "tier" : "order"})
                .about(name_of(policy))
                .with_label(twin.meta.span, "the enforced one");
        else if (meaning_of(policy) == meaning_of(twin))
            out.report(Code::StagedLeftBehind, policy.meta.span, {name_of(twin)})
                .about(name_of(policy))
                .with_label(twin.meta.span, "the enforced one")
                .with_hint("it has been promoted; remove it");
    });
}

} // namespace

void check_enforcement(Context& context, Diagnostics& out) {
    check_tier_prefix(context, out);
    check_omissions(context, out);
    check_cluster_policies(context, out);
    check_staged(context, out);
}

} // namespace polecat::lint
