#include "ir/policy/scope.h"

#include <algorithm>
#include <iterator>

namespace polecat::policy {

using selector::Selector;

namespace {

bool is_blank(const std::string& text) {
    return text.find_first_not_of(" \t") == std::string::npos;
}

Selector in_namespace(const std::string& space) {
    return Selector::equal(std::string(kNamespaceLabel), space);
}

Selector has(std::string_view label) {
    return Selector::has(std::string(label));
}

/// A rule's namespaceSelector: over namespaces' labels; all() and global() speak of workloads in
/// and out of namespaces.
Selector namespaces_of(const SelectorField& field) {
    return field.parsed.with_prefix(kNamespacePrefix)
        .replace(has(kNamespaceLabel), Selector::negate(has(kNamespaceLabel)));
}

std::optional<Selector> accounts_of(const ServiceAccountMatch& accounts) {
    std::vector<Selector> parts;
    if (is_present(accounts.selector))
        parts.push_back(accounts.selector->parsed.with_prefix(kServiceAccountPrefix));
    std::vector<std::string> names;
    for (const At<std::string>& name : accounts.names)
        names.push_back(*name);
    if (!names.empty())
        parts.push_back(Selector::in(std::string(kServiceAccountLabel), std::move(names)));
    if (parts.empty())
        return std::nullopt;
    return Selector::all_of(std::move(parts));
}

/// Each label under the prefix; nothing where Felix loses them.
Labels under_prefix(const Labels& labels, const Metadata& of, std::string_view prefix) {
    if (too_long_to_inherit(of, prefix))
        return {};
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& [key, value] : labels)
        out.emplace_back(std::string(prefix).append(key), value);
    return Labels(out);
}

} // namespace

std::optional<std::string> too_long_to_inherit(const Metadata& of, std::string_view prefix) {
    constexpr std::size_t kMostName = 63, kMostDomain = 253; // k8s.io/apimachinery, validation
    if (of.name.size() > kMostName)
        return std::string(kCalicoNameLabel); // its value
    for (const auto& [key, value] : of.labels) {
        const std::size_t slash = key.find('/');
        const bool fits = slash == std::string_view::npos ? prefix.size() + key.size() <= kMostName
                                                          : prefix.size() + slash <= kMostDomain;
        if (!fits)
            return std::string(key);
    }
    return std::nullopt;
}

Labels labels_of(const Namespace& space) {
    Labels labels = space.meta.labels;
    labels.set(kNameLabel, space.meta.name);
    labels.set(kCalicoNameLabel, space.meta.name);
    return labels;
}

Labels inherited_labels(const Namespace& space) {
    return under_prefix(labels_of(space), space.meta, kNamespacePrefix);
}

Labels inherited_labels(const ServiceAccount& account) {
    Labels labels = account.meta.labels;
    labels.set(kCalicoNameLabel, account.meta.name);
    return under_prefix(labels, account.meta, kServiceAccountPrefix);
}

bool is_present(const Box<SelectorField>& field) {
    // Selectors that conversion makes have terms, whatever their text.
    return field && !(is_blank(field->text) && field->parsed.is_all());
}

bool is_set_by_platform(std::string_view label) {
    static constexpr std::string_view kDomains[] = {"gardener.cloud",
                                                    "openshift.io",
                                                    "cattle.io",
                                                    "kubernetes.azure.com",
                                                    "azure.com",
                                                    "gke.io",
                                                    "cloud.google.com",
                                                    "eks.amazonaws.com",
                                                    "k8s.ovh.net",
                                                    "kyma-project.io",
                                                    "tanzu.vmware.com",
                                                    "kubesphere.io",
                                                    "addonmanager.kubernetes.io",
                                                    "capsule.clastix.io",
                                                    "hnc.x-k8s.io",
                                                    "olm.operatorframework.io"};
    const std::string_view domain = label.substr(0, label.find('/'));
    return domain.size() < label.size() &&
           std::any_of(std::begin(kDomains), std::end(kDomains), [&](std::string_view each) {
               return domain == each || (domain.size() > each.size() && domain.ends_with(each) &&
                                         domain[domain.size() - each.size() - 1] == '.');
           });
}

Selector subject_of(const Policy& policy) {
    std::vector<Selector> parts;
    if (is_present(policy.selector))
        parts.push_back(policy.selector->parsed);
    const bool global = is_global(policy.kind);
    if (!global && !policy.meta.space.empty()) // empty: it could not be read
        parts.push_back(in_namespace(policy.meta.space));
    // Calico replaces all() in the whole text so far, spec.selector included: host endpoints then
    // no longer match (docs/semantics.md).
    if (global && is_present(policy.namespace_selector)) {
        parts.push_back(policy.namespace_selector->parsed.with_prefix(kNamespacePrefix));
        for (Selector& part : parts)
            part = part.replace(has(kNamespaceLabel), Selector::global());
    }
    if (is_present(policy.service_account_selector)) {
        parts.push_back(policy.service_account_selector->parsed.with_prefix(kServiceAccountPrefix));
        if (global)
            for (Selector& part : parts)
                part = part.replace(has(kServiceAccountLabel), Selector::global());
    }
    return Selector::all_of(std::move(parts));
}

std::optional<Selector> peers_of(const EntityRule& entity, const std::string& space) {
    std::vector<Selector> body;
    if (entity.service_accounts)
        if (std::optional<Selector> accounts = accounts_of(*entity.service_accounts))
            body.push_back(*accounts);
    if (is_present(entity.selector))
        body.push_back(entity.selector->parsed);

    std::optional<Selector> where;
    const bool names_namespaces = is_present(entity.namespace_selector);
    if (names_namespaces)
        where = namespaces_of(*entity.namespace_selector);
    else if (!space.empty() && (!body.empty() || is_present(entity.not_selector)))
        where = in_namespace(space); // notSelector alone restricts to the namespace as well

    std::vector<Selector> parts;
    if (where)
        parts.push_back(*where);
    if (!body.empty())
        parts.push_back(Selector::all_of(std::move(body)));
    if (parts.empty())
        return std::nullopt;
    return Selector::all_of(std::move(parts));
}

} // namespace polecat::policy
