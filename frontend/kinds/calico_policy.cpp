/// Tier, NetworkPolicy, GlobalNetworkPolicy and their staged twins. Rules: the CRDs of v3.32 and
/// libcalico-go/lib/validator/v3.
#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "frontend/defaults.h"
#include "frontend/kinds/calico_rule.h"
#include "frontend/kinds/empty_value.h"
#include "frontend/kinds/kinds.h"
#include "frontend/kinds/label_selector.h"
#include "frontend/kinds/names.h"
#include "frontend/kinds/unread.h"
#include "ir/policy/order.h"
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

/// `label` or `label.label`; namespaced ones also as Calico names its copies of foreign policies.
void check_policy_name(Fields& root, const Policy& policy, Checks checks) {
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
            .report(checks == Checks::Api ? diag::Code::ObjectName : diag::Code::ApiCheckMissed,
                    policy.meta.span,
                    {"metadata.name", "must be a DNS label, or two joined by a dot"})
            .about(root.object());
}

/// Whether the directions are said and could be read.
bool read_types(Fields& spec, Policy& into, Checks checks) {
    const diag::Watch watch(spec.diagnostics());
    const auto types = spec.strings("types");
    if (types.empty() && checks == Checks::Storage && *into.pre_dnat) {
        into.ingress_type = true; // Felix runs no other rules there
        return false;
    }
    if (types.empty() && checks == Checks::Storage) {
        // Felix takes an un-defaulted policy to have both directions.
        into.ingress_type = into.egress_type = true;
        auto& diagnostic = spec.diagnostics()
                               .report(diag::Code::UndefaultedTypes, spec.home())
                               .about(spec.object());
        if (spec.present()) {
            diag::Fix fix = diag::add_to_mapping(spec.span(), "types", "[Ingress, Egress]",
                                                 "write both directions");
            fix.addition->after = "selector";
            diagnostic.with_fix(fix);
        }
        return false;
    }
    if (types.empty()) {
        const DefaultTypes types_of = default_types(!into.ingress.empty(), !into.egress.empty());
        into.ingress_type = types_of.ingress;
        into.egress_type = types_of.egress;
        return false;
    }
    into.ingress_type = into.egress_type = false;
    for (const At<std::string>& type : types) {
        if (type.value != "Ingress" && type.value != "Egress") {
            refuse_word(spec, type, spec.path_of("types"), {"Ingress", "Egress"});
            continue;
        }
        bool& flag = type.value == "Ingress" ? into.ingress_type : into.egress_type;
        if (flag)
            refuse_in_api(spec, checks, type.span, spec.path_of("types"),
                          "has " + type.value + " twice");
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
    return !watch.error();
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

void read_hooks(Fields& spec, Policy& into) {
    into.do_not_track = flag(spec, "doNotTrack");
    into.pre_dnat = flag(spec, "preDNAT");
    into.apply_on_forward = flag(spec, "applyOnForward");
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
void check_staged_delete(Fields& spec, const yaml::Node* node, Checks checks,
                         std::initializer_list<std::string_view> allowed) {
    if (node == nullptr || !node->is_mapping())
        return;
    for (const yaml::Member& member : node->members)
        if (std::find(allowed.begin(), allowed.end(), member.key) == allowed.end() &&
            !member.value.is_null())
            refuse_in_api(spec, checks, member.key_span, spec.path_of(member.key),
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

void read_place(Fields& spec, Policy& into, Checks checks) {
    const diag::Watch watch(spec.diagnostics());
    if (const auto tier = spec.string("tier"); tier && !tier->value.empty()) {
        into.tier = *tier;
        if (!is_dns_label(tier->value))
            refuse_in_api(spec, checks, tier->span, spec.path_of("tier"),
                          "must be the name of a tier");
    }
    if (const auto order = spec.number("order"))
        into.order = *order;
    into.place_unread = watch.error().has_value();
}

/// Which endpoints it is for. What could not be read narrows nothing.
void read_subject(Fields& spec, Policy& into) {
    const auto read = [&](const char* key) {
        const diag::Watch watch(spec.diagnostics());
        auto selector = read_selector(spec, key, GlobalTerm::Refused);
        return watch.error() ? std::nullopt : std::move(selector);
    };
    into.selector = read("selector");
    into.service_account_selector = read("serviceAccountSelector");
    if (is_global(into.kind))
        into.namespace_selector = read("namespaceSelector");
}

/// What nobody may change of a tier that is there anyway.
void check_built_in(const policy::Tier& tier, Fields& spec) {
    constexpr double kWritten = 1'000'000; // by Calico's API, where a Tier has no order
    for (const policy::BuiltInTier& each : policy::kBuiltInTiers)
        if (each.of_api && tier.meta.name == each.name &&
            ((tier.order ? **tier.order : kWritten) != each.order ||
             *tier.default_action != each.default_action))
            spec.diagnostics()
                .report(diag::Code::FieldRule, spec.home(),
                        {fmt::format("tier {} has order {} and defaultAction {}", each.name,
                                     each.order, policy::to_string(each.default_action))})
                .about(spec.object());
}

} // namespace

void read_tier(ObjectContext& context) {
    Fields root = open_calico(context);
    policy::Tier out;
    out.meta = read_metadata(root, false, diag::Severity::Error);
    if (!out.meta.name.empty() && !is_dns_label(out.meta.name))
        context.diagnostics
            .report(context.legacy_crd ? diag::Code::ApiCheckMissed : diag::Code::ObjectName,
                    out.meta.span, {"metadata.name", "must be one DNS label"})
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
    check_built_in(out, spec);
    context.cluster.tiers.push_back(std::move(out));
}

void read_calico_policy(ObjectContext& context) {
    diag::Watch watch(context.diagnostics);
    Fields root = open_calico(context);
    Policy out;
    out.kind = kind_of(context.kind);
    out.manifest_kind = context.kind;
    const bool global = policy::is_global(out.kind), staged = policy::is_staged(out.kind);
    out.meta = read_metadata(root, !global, diag::Severity::Error);
    const Checks checks = checks_of(context);
    check_policy_name(root, out, checks);
    Fields spec = root.mapping("spec");
    read_place(spec, out, checks);
    read_subject(spec, out);
    const auto read_rules = [&](const char* key, bool egress) {
        return watch.leaving_out([&] {
            return read_calico_rules(spec, key, {checks, egress, global, false});
        });
    };
    out.ingress = read_rules("ingress", false);
    out.egress = read_rules("egress", true);
    if (staged)
        out.staged_action = read_staged_action(spec);
    if (global)
        read_hooks(spec, out);
    const bool types_known = read_types(spec, out, checks);
    read_hints(spec, out);
    if (global)
        check_hooks(spec, out);
    const char* const kSelectors[] = {"selector", "serviceAccountSelector", "namespaceSelector"};
    for (const char* key : std::span(kSelectors).first(global ? 3 : 2)) // the last is a field there
        report_null(spec, key, "every endpoint that the policy may govern");
    report_emptied_rules(spec, out.ingress_type, out.egress_type);
    if (out.staged_action == "Delete")
        check_staged_delete(spec, context.root.find("spec"), checks, {"tier", "stagedAction"});
    const diag::Watch unknown(context.diagnostics);
    spec.finish();
    root.finish();
    // A field that is not known may be one that is missing.
    out.place_unread |= unknown.error() && (!out.order || !out.tier.span.known());
    forget_rules(out, watch.error(), types_known);
    context.cluster.policies.push_back(std::move(out));
}

void read_staged_kubernetes_policy(ObjectContext& context) {
    diag::Watch watch(context.diagnostics);
    Fields root = open_calico(context);
    policy::KubernetesNetworkPolicy out;
    out.meta = read_metadata(root, true, diag::Severity::Error);
    Fields spec = root.mapping("spec");
    bool types_known = true;
    out.staged_action = read_staged_action(spec);
    if (out.staged_action == "Delete") {
        check_staged_delete(spec, context.root.find("spec"), checks_of(context), {"stagedAction"});
        spec.ignore_rest();
    } else {
        types_known = read_kubernetes_policy_spec(spec, out, watch);
    }
    spec.finish();
    root.finish();
    forget_rules(out, watch.error(), types_known);
    context.cluster.kubernetes_policies.push_back(std::move(out));
}

} // namespace polecat::frontend
