// Namespaces that every cluster has, by labels that nobody sets: `name: kube-system` selects
// nothing, and an exception by it leaves nothing out.
#include <algorithm>

#include "analyzer/lint/checks.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using policy::SelectorField;
using selector::Selector;
using selector::Term;

namespace {

/// Namespaces that the cluster makes by itself.
constexpr std::string_view kBuiltInNamespaces[] = {"kube-system", "kube-public", "kube-node-lease",
                                                   "default"};

/// A label that looks as if it held the namespace's name. `default` is a value of many.
bool may_hold_name(std::string_view label, std::string_view space) {
    if (label == policy::kNameLabel || label == policy::kCalicoNameLabel)
        return false;
    const std::string_view last = label.substr(label.rfind('/') + 1);
    return space != "default" || last == "name" || last == "namespace" || last == "ns" ||
           last == "metadata.name";
}

/// The labels of selectors that are compared with `value`.
void collect_labels_with(const Selector& selector, std::string_view value,
                         std::vector<std::string>& out) {
    const Term& term = selector.term();
    if (std::find(term.values.begin(), term.values.end(), value) != term.values.end())
        out.push_back(term.label);
    for (const Selector& child : term.children)
        collect_labels_with(child, value, out);
}

class NamespaceLabelsChecker {
  public:
    NamespaceLabelsChecker(Context& context, Diagnostics& out) : context_(context), out_(out) {}

    void check(const policy::Policy& policy, const Box<SelectorField>& field,
               const std::string& what) {
        if (!policy::is_present(field))
            return;
        for (const std::string_view space : kBuiltInNamespaces)
            if (const auto label = missing_label(field->parsed, std::string(space)))
                out_.report(Code::NamespaceLabelNotSet,
                            field->span.known() ? field->span : policy.meta.span,
                            {what, *label, space})
                    .about(name_of(policy))
                    .with_hint("write `kubernetes.io/metadata.name`, which every namespace has");
    }

  private:
    /// A label that decides whether the namespace is selected, and that it doesn't have.
    std::optional<std::string> missing_label(const Selector& selector,
                                             const std::string& space) const {
        const auto* given = context_.extent.labels_of_namespace(space);
        policy::Namespace own;
        own.meta.name = space;
        if (given != nullptr)
            own.meta.labels = *given;
        const selector::Labels labels = policy::labels_of(own);
        std::vector<std::string> asked;
        collect_labels_with(selector, space, asked);
        for (const std::string& label : asked) {
            selector::Labels with = labels;
            with.set(label, space);
            if (may_hold_name(label, space) && !labels.find(label) &&
                selector.matches(labels) != selector.matches(with))
                return label;
        }
        return std::nullopt;
    }

    Context& context_;
    Diagnostics& out_;
};

} // namespace

void check_namespace_labels(Context& context, Diagnostics& out) {
    NamespaceLabelsChecker checker(context, out);
    each_policy(context, [&](const policy::OrderedTier&, const policy::Policy& policy) {
        checker.check(policy, policy.namespace_selector, "policy `" + policy.meta.name + "`");
    });
    each_rule(context, [&](const RuleView& view) {
        const std::string rule = "rule " + rule_name(view);
        checker.check(view.policy, view.rule.source.namespace_selector, rule);
        checker.check(view.policy, view.rule.destination.namespace_selector, rule);
    });
}

} // namespace polecat::lint
