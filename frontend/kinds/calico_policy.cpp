/// Tier, NetworkPolicy, GlobalNetworkPolicy and their staged twins. Rules: the CRDs of v3.32 and
/// libcalico-go/lib/validator/v3.
#include <algorithm>

#include "frontend/defaults.h"
#include "frontend/kinds/calico_rule.h"
#include "frontend/kinds/kinds.h"
#include "frontend/kinds/label_selector.h"
#include "frontend/kinds/names.h"
#include "support/diag/fix.h"

namespace polecat::frontend {

namespace {

using policy::Policy;
using policy::PolicyKind;

PolicyKind kind_of(const std::string& kind) {
    return kind == "GlobalNetworkPolicy"         ? PolicyKind::GlobalNetworkPolicy
           : kind == "StagedNetworkPolicy"       ? PolicyKind::StagedNetworkPolicy
           : kind == "StagedGlobalNetworkPolicy" ? PolicyKind::StagedGlobalNetworkPolicy
                                                 : PolicyKind::NetworkPolicy;
}

bool is_global(PolicyKind kind) {
    return kind == PolicyKind::GlobalNetworkPolicy || kind == PolicyKind::StagedGlobalNetworkPolicy;
}

/// `label` or `label.label`; namespaced ones also as Calico names its copies of foreign policies.
void check_policy_name(Fields& root, const Policy& policy) {
    const std::string_view name = policy.meta.name;
    if (name.empty())
        return;
    for (std::string_view prefix : {"knp.default.", "ossg.default."})
        if (!is_global(policy.kind) && name.starts_with(prefix) &&
            is_dns_subdomain(name.substr(prefix.size())))
            return;
    const std::size_t dot = name.find('.');
    // Each part has the form of a label, without its limit of 63 characters.
    const auto part = [](std::string_view text) {
        return is_dns_subdomain(text) && text.find('.') == std::string_view::npos;
    };
    const bool good =
        part(name.substr(0, dot)) && (dot == std::string_view::npos || part(name.substr(dot + 1)));
    if (!good)
        root.diagnostics()
            .report(diag::Code::ObjectName, policy.meta.span,
                    {"metadata.name", "must be a DNS label, or two joined by a dot"})
            .about(root.object());
}

void read_types(Fields& spec, Policy& into, bool legacy) {
    const auto types = spec.strings("types");
    if (types.empty() && legacy) {
        // Felix takes an un-defaulted policy to have both directions.
        into.ingress_type = into.egress_type = true;
        auto& diagnostic = spec.diagnostics()
                               .report(diag::Code::UndefaultedTypes, spec.span())
                               .about(spec.object());
        if (spec.present()) {
            diag::Fix fix = diag::add_to_mapping(spec.span(), "types", "[Ingress, Egress]",
                                                 "write both directions");
            fix.addition->after = "selector";
            diagnostic.with_fix(fix);
        }
        return;
    }
    if (types.empty()) {
        const DefaultTypes types_of = default_types(!into.ingress.empty(), !into.egress.empty());
        into.ingress_type = types_of.ingress;
        into.egress_type = types_of.egress;
        return;
    }
    into.ingress_type = into.egress_type = false;
    for (const At<std::string>& type : types) {
        if (type.value != "Ingress" && type.value != "Egress") {
            refuse_word(spec, type, spec.path_of("types"), {"Ingress", "Egress"});
            continue;
        }
        bool& flag = type.value == "Ingress" ? into.ingress_type : into.egress_type;
        if (flag)
            refuse_value(spec, type.span, spec.path_of("types"), "has " + type.value + " twice");
        flag = true;
    }
    if (!into.ingress_type && !into.ingress.empty())
        spec.diagnostics()
            .report(diag::Code::RulesWithoutType, spec.key_span("ingress"), {"ingress"})
            .about(spec.object());
    if (!into.egress_type && !into.egress.empty())
        spec.diagnostics()
            .report(diag::Code::RulesWithoutType, spec.key_span("egress"), {"egress"})
            .about(spec.object());
}

std::optional<diag::Fix> apply_on_forward(const Fields& spec, const Policy& policy) {
    const char* what = "write applyOnForward: true";
    if (policy.apply_on_forward.span.known())
        return diag::replace_text(policy.apply_on_forward.span, "false", "true", what);
    diag::Fix fix = diag::add_to_mapping(spec.span(), "", "{applyOnForward: true}", what);
    fix.addition->after = *policy.pre_dnat ? "preDNAT" : "doNotTrack";
    return fix;
}

void check_hooks(Fields& spec, const Policy& policy) {
    const auto refuse = [&](const char* key, const char* rule) -> diag::Diagnostic& {
        return refuse_value(spec, spec.key_span(key), spec.path_of(key), rule);
    };
    if (*policy.do_not_track && *policy.pre_dnat)
        refuse("preDNAT", "cannot be set together with doNotTrack");
    if (*policy.pre_dnat && (policy.egress_type || !policy.egress.empty()))
        refuse("preDNAT", "cannot be set on a policy with egress");
    if ((*policy.do_not_track || *policy.pre_dnat) && !*policy.apply_on_forward)
        refuse(*policy.pre_dnat ? "preDNAT" : "doNotTrack", "needs applyOnForward: true")
            .with_fix(apply_on_forward(spec, policy));
}

At<bool> flag(Fields& spec, const char* key) {
    return spec.boolean(key).value_or(At<bool>{});
}

void read_global_fields(Fields& spec, Policy& into) {
    into.namespace_selector = read_selector(spec, "namespaceSelector", GlobalTerm::Refused);
    into.do_not_track = flag(spec, "doNotTrack");
    into.pre_dnat = flag(spec, "preDNAT");
    into.apply_on_forward = flag(spec, "applyOnForward");
    check_hooks(spec, into);
}

std::string read_staged_action(Fields& spec) {
    const auto action = spec.string("stagedAction");
    if (!action || action->value.empty())
        return "Set";
    for (const char* known : {"Set", "Delete", "Learn", "Ignore"})
        if (action->value == known)
            return action->value;
    refuse_value(spec, action->span, spec.path_of("stagedAction"),
                 "must be Set, Delete, Learn or Ignore");
    return "Set";
}

/// A staged deletion names a policy and says nothing of what it holds.
void check_staged_delete(Fields& spec, const yaml::Node* node,
                         std::initializer_list<std::string_view> allowed) {
    if (node == nullptr || !node->is_mapping())
        return;
    for (const yaml::Member& member : node->members)
        if (std::find(allowed.begin(), allowed.end(), member.key) == allowed.end() &&
            !member.value.is_null())
            refuse_value(spec, member.key_span, spec.path_of(member.key),
                         "must not be there with stagedAction Delete");
}

void read_hints(Fields& spec, Policy& into) {
    into.performance_hints = spec.strings("performanceHints");
    const auto& hints = into.performance_hints;
    for (const At<std::string>& hint : hints)
        if (hint.value != "AssumeNeededOnEveryNode")
            refuse_value(spec, hint.span, spec.path_of("performanceHints"),
                         "must be AssumeNeededOnEveryNode");
    if (hints.size() > 1)
        refuse_value(spec, hints[1].span, spec.path_of("performanceHints"), "has an entry twice");
}

void read_tier_name(Fields& spec, Policy& into) {
    if (const auto tier = spec.string("tier"); tier && !tier->value.empty()) {
        into.tier = *tier;
        if (!is_dns_label(tier->value))
            refuse_value(spec, tier->span, spec.path_of("tier"), "must be the name of a tier");
    }
}

} // namespace

void read_tier(ObjectContext& context) {
    Fields root = open_calico(context);
    policy::Tier out;
    out.meta = read_metadata(root, false);
    if (!out.meta.name.empty() && !is_dns_label(out.meta.name))
        context.diagnostics
            .report(diag::Code::ObjectName, out.meta.span,
                    {"metadata.name", "must be one DNS label"})
            .about(root.object());
    Fields spec = root.mapping("spec");
    if (const auto order = spec.number("order"))
        out.order = *order;
    const auto action = spec.string("defaultAction");
    if (action && action->value != "Deny" && action->value != "Pass")
        refuse_value(spec, action->span, spec.path_of("defaultAction"), "must be Deny or Pass");
    if (action)
        out.default_action = {action->value == "Pass" ? policy::Action::Pass : policy::Action::Deny,
                              action->span};
    spec.finish();
    root.finish();
    struct BuiltIn {
        const char* name;
        double order;
        policy::Action action;
        const char* rule;
    };
    static constexpr BuiltIn kBuiltIn[] = {
        {"kube-admin", 1000, policy::Action::Pass,
         "tier kube-admin has order 1000 and defaultAction Pass"},
        {"default", 1000000, policy::Action::Deny,
         "tier default has order 1000000 and defaultAction Deny"},
        {"kube-baseline", 10000000, policy::Action::Pass,
         "tier kube-baseline has order 10000000 and defaultAction Pass"}};
    for (const BuiltIn& tier : kBuiltIn)
        if (out.meta.name == tier.name &&
            ((out.order && **out.order != tier.order) || *out.default_action != tier.action))
            context.diagnostics.report(diag::Code::FieldRule, spec.span(), {tier.rule})
                .about(root.object());
    context.cluster.tiers.push_back(std::move(out));
}

void read_calico_policy(ObjectContext& context) {
    Fields root = open_calico(context);
    Policy out;
    out.kind = kind_of(context.kind);
    out.manifest_kind = context.kind;
    const bool global = is_global(out.kind), staged = policy::is_staged(out.kind);
    out.meta = read_metadata(root, !global);
    check_policy_name(root, out);
    Fields spec = root.mapping("spec");
    read_tier_name(spec, out);
    if (const auto order = spec.number("order"))
        out.order = *order;
    out.selector = read_selector(spec, "selector", GlobalTerm::Refused);
    out.service_account_selector =
        read_selector(spec, "serviceAccountSelector", GlobalTerm::Refused);
    out.ingress = read_calico_rules(spec, "ingress", {false, global, false});
    out.egress = read_calico_rules(spec, "egress", {true, global, false});
    if (staged)
        out.staged_action = read_staged_action(spec);
    read_types(spec, out, context.legacy_crd);
    read_hints(spec, out);
    if (global)
        read_global_fields(spec, out);
    if (out.staged_action == "Delete")
        check_staged_delete(spec, context.root.find("spec"), {"tier", "stagedAction"});
    spec.finish();
    root.finish();
    context.cluster.policies.push_back(std::move(out));
}

void read_staged_kubernetes_policy(ObjectContext& context) {
    Fields root = open_calico(context);
    policy::KubernetesNetworkPolicy out;
    out.meta = read_metadata(root, true);
    Fields spec = root.mapping("spec");
    out.staged_action = read_staged_action(spec);
    if (out.staged_action == "Delete") {
        check_staged_delete(spec, context.root.find("spec"), {"stagedAction"});
        spec.ignore_rest();
    } else {
        read_kubernetes_policy_spec(spec, out);
    }
    spec.finish();
    root.finish();
    context.cluster.kubernetes_policies.push_back(std::move(out));
}

} // namespace polecat::frontend
