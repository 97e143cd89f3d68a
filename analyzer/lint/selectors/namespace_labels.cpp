// Namespaces by labels that nobody sets: `name: kube-system` selects nothing, and an exception by
// it leaves nothing out.
#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

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

/// A label that looks as if it held the namespace's name: nobody calls anything else kube-system.
bool may_hold_name(std::string_view label, std::string_view space) {
    if (label == policy::kNameLabel || label == policy::kCalicoNameLabel ||
        policy::is_set_by_platform(label))
        return false;
    const std::string_view last = label.substr(label.rfind('/') + 1);
    return space.starts_with("kube-") || last == "name" || last == "namespace" || last == "ns" ||
           last == "metadata.name";
}

/// Labels of a selector and what they are compared with.
void collect_values(const Selector& selector, std::set<std::pair<std::string, std::string>>& out) {
    const Term& term = selector.term();
    for (const std::string& value : term.values)
        out.emplace(term.label, value);
    for (const Selector& child : term.children)
        collect_values(child, out);
}

class NamespaceLabelsChecker {
  public:
    NamespaceLabelsChecker(Context& context, Diagnostics& out) : context_(context), out_(out) {}

    void check(const policy::Policy& policy, const Box<SelectorField>& field,
               const std::string& what) {
        if (!policy::is_present(field))
            return;
        std::set<std::pair<std::string, std::string>> asked;
        collect_values(field->parsed, asked);
        const Span span = field->span.known() ? field->span : policy.meta.span;
        for (const auto& [label, space] : asked)
            if (may_hold_name(label, space) && is_known(space) && !is_given(label, space) &&
                check(policy, span, what, label, space, field->parsed))
                return; // one cause, however many namespaces it names
    }

  private:
    /// Whether the namespace is selected hangs on a label that it doesn't have: told, or not so.
    bool check(const policy::Policy& policy, const Span& span, const std::string& what,
               const std::string& label, const std::string& space, const Selector& selector) {
        const auto* given = context_.extent.labels_of_namespace(space);
        policy::Namespace own;
        own.meta.name = space;
        if (given != nullptr)
            own.meta.labels = *given;
        const selector::Labels labels = policy::labels_of(own);
        selector::Labels with = labels;
        with.set(label, space);
        const bool left_out = selector.matches(labels) && !selector.matches(with);
        if (labels.find(label) || selector.matches(labels) == selector.matches(with))
            return false;
        auto& diagnostic =
            left_out ? out_.report(Code::NamespaceLabelNotSet, span, {what, label, space})
                     : out_.report(Code::SelectorTypo, span,
                                   {"namespaceSelector of " + what,
                                    fmt::format("namespace {} has no label `{}`", space, label)});
        diagnostic.about(name_of(policy))
            .with_fact("selector", selector.canonical())
            .with_fact("label", label)
            .with_fact("namespace", space)
            .with_hint("write `kubernetes.io/metadata.name`, which every namespace has");
        if (given == nullptr)
            diagnostic.with_note("no cluster sets that label, only somebody by hand");
        // A label under a name of their own is one that they set, where its Namespace is.
        if (given == nullptr && label.find('/') != std::string::npos &&
            label.find("kubernetes.io/") == std::string::npos) {
            diagnostic.severity = diag::Severity::Note;
            diagnostic.as_usual();
        }
        return true;
    }

    static bool is_built_in(const std::string& space) {
        return std::find(std::begin(kBuiltInNamespaces), std::end(kBuiltInNamespaces), space) !=
               std::end(kBuiltInNamespaces);
    }

    /// Some namespace has the label with this value, so it holds another thing than that name.
    bool is_given(const std::string& label, const std::string& value) const {
        const auto& spaces = context_.cluster.namespaces;
        return std::any_of(spaces.begin(), spaces.end(), [&](const policy::Namespace& each) {
            return policy::labels_of(each).find(label) == value;
        });
    }

    bool is_known(const std::string& space) const {
        return context_.extent.labels_of_namespace(space) != nullptr || is_built_in(space);
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
