#include "analyzer/lint/selectors/near_miss.h"

#include <algorithm>

#include <fmt/format.h>

#include "ir/policy/scope.h"

namespace polecat::lint {

using decision::Object;
using selector::Op;
using selector::Selector;
using selector::Term;

namespace {

/// Labels with a meaning of their own: none is a misspelling of another.
bool is_well_known(std::string_view label) {
    static constexpr std::string_view kLabels[] = {
        "app",   "k8s-app",  "name",     "component", "tier",        "role",   "release",
        "chart", "version",  "service",  "env",       "environment", "run",    "team",
        "zone",  "heritage", "instance", "project",   "app-name",    "appname"};
    static constexpr std::string_view kDomains[] = {
        "app.kubernetes.io/",       "helm.sh/",          "kubernetes.io/", "k8s.io/",
        "node-role.kubernetes.io/", "projectcalico.org/"};
    return policy::is_set_by_platform(label) ||
           std::find(std::begin(kLabels), std::end(kLabels), label) != std::end(kLabels) ||
           std::any_of(std::begin(kDomains), std::end(kDomains),
                       [&](std::string_view domain) { return label.starts_with(domain); });
}

bool is_digit(char c) {
    return (c >= '0' && c <= '9') || c == '.';
}

bool is_separator(char c) {
    return c == '-' || c == '_' || c == '.' || c == '/';
}

/// One letter by itself: the `a` of `team-a`.
bool stands_alone(std::string_view word, std::size_t at) {
    return (at == 0 || is_separator(word[at - 1])) &&
           (at + 1 >= word.size() || is_separator(word[at + 1]));
}

/// A label's domain ("app.kubernetes.io/", or nothing) and the rest.
std::pair<std::string_view, std::string_view> parts_of(std::string_view label) {
    const std::size_t slash = label.rfind('/');
    const std::size_t end = slash == std::string_view::npos ? 0 : slash + 1;
    return {label.substr(0, end), label.substr(end)};
}

/// `component` and `app.kubernetes.io/component`: one of them has no domain.
bool is_other_domain(std::string_view word, std::string_view meant) {
    const auto [domain, name] = parts_of(word);
    const auto [other_domain, other_name] = parts_of(meant);
    return name == other_name && domain.empty() != other_domain.empty();
}

bool is_slip_of_label(std::string_view word, std::string_view meant, bool certain) {
    if (is_well_known(word))
        return false;
    const auto [domain, name] = parts_of(word);
    const auto [other_domain, other_name] = parts_of(meant);
    if (domain == other_domain)
        return is_slip(name, other_name, certain);
    return name == other_name && is_slip(domain, other_domain, certain);
}

} // namespace

bool is_slip(std::string_view word, std::string_view meant, bool certain) {
    const std::size_t shorter = std::min(word.size(), meant.size());
    if (word == meant || shorter < (certain ? 2 : 5))
        return false;
    std::size_t front = 0, back = 0;
    while (front < shorter && word[front] == meant[front])
        ++front;
    while (back < shorter - front && word[word.size() - 1 - back] == meant[meant.size() - 1 - back])
        ++back;
    const auto a = word.substr(front, word.size() - front - back);
    const auto b = meant.substr(front, meant.size() - front - back);
    if (std::all_of(a.begin(), a.end(), is_digit) && std::all_of(b.begin(), b.end(), is_digit))
        return false;
    if (a.size() == 1 && b.size() == 1)
        return shorter > 2 && !(stands_alone(word, front) && stands_alone(meant, front));
    if (a.size() + b.size() == 1) // a letter more or less; at the end it may be another word
        return !is_separator(a.empty() ? b.front() : a.front()) && (certain || back > 0);
    const bool swapped = a.size() == 2 && b.size() == 2 && a[0] == b[1] && a[1] == b[0];
    return swapped || (a.size() == 2 && b.size() == 2 && shorter >= 8);
}

/// A label as a selector names it, without the prefix that says whose it is.
struct Vocabulary::Asked {
    std::string label;
    const std::vector<std::string>* listed; ///< its values; empty: any
    enum class Of { Pods, Spaces, Accounts } of = Of::Pods;
    const Values* own;  ///< what there is of that kind
    const Values* also; ///< and of sets; nullptr: they aren't meant

    /// Known values of the label; nullptr: it is not known.
    const std::set<std::string>* known() const {
        for (const Values* each : {own, also})
            if (each != nullptr)
                if (const auto found = each->find(label); found != each->end())
                    return &found->second;
        return nullptr;
    }
    bool allows(const std::set<std::string>& known) const {
        return listed->empty() ||
               std::any_of(listed->begin(), listed->end(),
                           [&](const auto& value) { return known.contains(value); });
    }
};

Vocabulary::Vocabulary(const Context& context) {
    const auto add = [](Values& values, const selector::Labels& labels) {
        for (const auto& [label, value] : labels)
            values[std::string(label)].emplace(value);
    };
    for (const policy::Workload& each : context.cluster.workloads) {
        add(pods_, each.pod_labels);
        if (context.extent.labels_of_namespace(each.meta.space) != nullptr)
            add(of_told_spaces_, each.pod_labels);
    }
    for (const policy::HostEndpoint& each : context.cluster.host_endpoints)
        add(sets_, each.meta.labels);
    for (const policy::NetworkSet& each : context.cluster.network_sets)
        add(sets_, each.meta.labels);
    for (const policy::Namespace& each : context.cluster.namespaces) {
        add(spaces_, policy::labels_of(each));
    }
    for (const policy::ServiceAccount& each : context.cluster.service_accounts)
        add(accounts_, each.meta.labels);
}

std::optional<std::string> Vocabulary::slip(const Selector& selector, bool of_pods,
                                            bool certain) const {
    const Term& term = selector.term();
    if (term.op == Op::Equal || term.op == Op::In || term.op == Op::Has)
        return slip_of_term(term, of_pods, certain);
    if (term.op == Op::And || term.op == Op::Or)
        for (const Selector& child : term.children)
            if (auto found = slip(child, of_pods, certain))
                return found;
    return std::nullopt;
}

std::optional<std::string> Vocabulary::slip_of_term(const Term& term, bool of_pods,
                                                    bool certain) const {
    std::string_view label = term.label;
    Asked asked{"", &term.values, Asked::Of::Pods, &pods_, of_pods ? nullptr : &sets_};
    if (label.starts_with(policy::kNamespacePrefix)) {
        label.remove_prefix(policy::kNamespacePrefix.size());
        asked = {"", &term.values, Asked::Of::Spaces, &spaces_, nullptr};
    } else if (label.starts_with(policy::kServiceAccountPrefix)) {
        label.remove_prefix(policy::kServiceAccountPrefix.size());
        asked = {"", &term.values, Asked::Of::Accounts, &accounts_, nullptr};
    } else if (label.starts_with("projectcalico.org/")) {
        return std::nullopt; // Calico's own: the namespace, the account
    }
    asked.label = label;
    if (const auto* known = asked.known())
        return slip_of_value(asked, *known, certain);
    const auto other = label_of_others(asked, certain);
    return other ? other : slip_of_label(asked, certain);
}

std::optional<std::string> Vocabulary::slip_of_value(const Asked& asked,
                                                     const std::set<std::string>& known,
                                                     bool certain) const {
    for (const std::string& value : *asked.listed)
        for (const std::string& each : known)
            if (!known.contains(value) && is_slip(value, each, certain))
                return fmt::format("there is `{}` = `{}`, not `{}`", asked.label, each, value);
    return std::nullopt;
}

std::optional<std::string> Vocabulary::slip_of_label(const Asked& asked, bool certain) const {
    for (const Values* values : {asked.own, asked.also})
        if (values != nullptr)
            for (const auto& [label, known] : *values)
                if ((is_slip_of_label(asked.label, label, certain) &&
                     (certain || asked.allows(known))) ||
                    (certain && !asked.listed->empty() && asked.allows(known) &&
                     is_other_domain(asked.label, label)))
                    return fmt::format("there is a label `{}`, not `{}`", label, asked.label);
    return std::nullopt;
}

std::optional<std::string> Vocabulary::only_on_namespaces(const Selector& selector) const {
    const Term& term = selector.term();
    if (term.op == Op::And)
        for (const Selector& child : term.children)
            if (auto found = only_on_namespaces(child))
                return found;
    if ((term.op != Op::Equal && term.op != Op::In && term.op != Op::Has) ||
        pods_.contains(term.label) || sets_.contains(term.label))
        return std::nullopt;
    const auto found = spaces_.find(term.label);
    const Asked asked{term.label, &term.values, Asked::Of::Pods, &pods_, nullptr};
    if (found == spaces_.end() || !asked.allows(found->second))
        return std::nullopt;
    return fmt::format("`{}` is a label of namespaces, and pods don't have it", term.label);
}

/// The label is there, with the value: on pods, where namespaces are asked, or the other way round.
std::optional<std::string> Vocabulary::label_of_others(const Asked& asked, bool certain) const {
    const auto has = [&](const Values& values) {
        const auto found = values.find(asked.label);
        return found != values.end() && asked.allows(found->second);
    };
    if (asked.of == Asked::Of::Spaces && has(of_told_spaces_))
        return fmt::format("`{}` is a label of pods, and their namespaces don't have it",
                           asked.label);
    if (asked.of == Asked::Of::Pods && certain && !is_well_known(asked.label) && has(spaces_))
        return fmt::format("`{}` is a label of namespaces, and pods don't have it", asked.label);
    return std::nullopt;
}

} // namespace polecat::lint
