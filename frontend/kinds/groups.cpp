#include "frontend/kinds/groups.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "frontend/kinds/kinds.h"
#include "frontend/kinds/other_kinds.h"
#include "support/diag/fix.h"

namespace polecat::frontend {

namespace {

/// Kubernetes' own groups that have kinds that are read, and that of Calico's operator.
constexpr std::string_view kKubernetesGroups[] = {"v1",
                                                  "apps",
                                                  "batch",
                                                  "discovery.k8s.io",
                                                  "networking.k8s.io",
                                                  "extensions",
                                                  "operator.tigera.io"};

/// A kind in one of Kubernetes' own groups that is nearly one that is read, or is one of another
/// group that is.
bool is_kubernetes_slip(std::string_view group, std::string_view kind) {
    if (std::find(std::begin(kKubernetesGroups), std::end(kKubernetesGroups), group) ==
        std::end(kKubernetesGroups))
        return false;
    for (const std::string_view each : {"projectcalico.org", "policy.networking.k8s.io"})
        if (const auto kinds = kinds_of_group(each);
            std::find(kinds.begin(), kinds.end(), kind) != kinds.end())
            return true;
    for (const std::string_view each : kKubernetesGroups) {
        const auto kinds = kinds_of_group(each);
        const auto near = diag::nearest(kind, kinds);
        if (near && (each == group || *near == kind))
            return true;
    }
    return false;
}

/// A group of Kubernetes' or Calico's, or spelt nearly so. Others have policies of their own.
bool is_nearly_ours(std::string_view group) {
    static constexpr std::string_view kGroups[] = {"networking.k8s.io", "policy.networking.k8s.io",
                                                   "projectcalico.org", "crd.projectcalico.org"};
    static constexpr std::string_view kDomains[] = {"k8s.io", "kubernetes.io", "projectcalico.org"};
    if (group.find('.') == std::string_view::npos || group.ends_with(".k8s.io") ||
        group.ends_with("projectcalico.org"))
        return true;
    // `networking.k8s`, not `networking.example.io`: whose it is says the domain.
    const std::string_view domain = group.substr(group.find('.') + 1);
    return diag::nearest(group, kGroups).has_value() &&
           (domain.find("k8s") != std::string_view::npos || diag::nearest(domain, kDomains) ||
            diag::nearest(group, kDomains));
}

std::vector<std::string> all_near(std::string_view kind, std::vector<std::string_view> kinds) {
    std::vector<std::string> out;
    while (const auto near = diag::nearest(kind, kinds)) {
        out.push_back(*near);
        std::erase(kinds, *near);
    }
    return out;
}

/// "Policy", "NetworkPol", "GNP": a part of the name, or its capitals.
bool is_short_for(std::string_view word, std::string_view kind) {
    constexpr std::size_t kShortest = 4;
    std::string capitals;
    std::copy_if(kind.begin(), kind.end(), std::back_inserter(capitals),
                 [](char c) { return c >= 'A' && c <= 'Z'; });
    return word == capitals ||
           (word.size() >= kShortest && (kind.starts_with(word) || kind.ends_with(word)));
}

} // namespace

std::string scalar_text(const yaml::Node& root, std::string_view key) {
    const yaml::Node* found = root.find(key);
    return found != nullptr && found->is_scalar() ? found->text : std::string();
}

std::string TypeMeta::group() const {
    const bool is_first = api_version.size() > 1 && api_version[0] == 'v' &&
                          api_version.find_first_of("./") == std::string::npos;
    return is_first ? "v1" : api_version.substr(0, api_version.find('/'));
}

bool is_policy_group(std::string_view group) {
    return group == "projectcalico.org" || group == "crd.projectcalico.org" ||
           group == "policy.networking.k8s.io" || group == "polecat";
}

bool is_policy_name(std::string_view kind) {
    static constexpr std::string_view kNames[] = {"NetworkPolicy",
                                                  "GlobalNetworkPolicy",
                                                  "StagedNetworkPolicy",
                                                  "StagedGlobalNetworkPolicy",
                                                  "ClusterNetworkPolicy",
                                                  "AdminNetworkPolicy",
                                                  "BaselineAdminNetworkPolicy"};
    // Looked for first, since most kinds are not even near.
    return kind.find("olicy") != std::string_view::npos && diag::nearest(kind, kNames).has_value();
}

bool is_policy_like(const TypeMeta& type) {
    return is_policy_group(type.group()) || is_policy_name(type.kind);
}

bool is_kind_of_policy(std::string_view kind) {
    static constexpr std::string_view kKinds[] = {
        "NetworkSet",         "GlobalNetworkSet", "HostEndpoint", "Tier",
        "FelixConfiguration", "Profile",          "IPPool"};
    return is_policy_name(kind) ||
           std::find(std::begin(kKinds), std::end(kKinds), kind) != std::end(kKinds);
}

bool is_slip(const TypeMeta& type) {
    const std::string group = type.group();
    return (is_policy_group(group) && !is_known_as(OtherUse::NoPolicy, group, type.kind)) ||
           (is_policy_name(type.kind) && is_nearly_ours(group)) ||
           is_kubernetes_slip(group, type.kind);
}

std::vector<std::string> kinds_meant(const TypeMeta& type) {
    const std::string group = type.group();
    const auto of_group = kinds_of_group(group);
    if (type.kind.empty())
        return {of_group.begin(), of_group.end()};
    if (!versions_of_kind(type.kind, group).empty())
        return {type.kind};
    auto out = all_near(type.kind, of_group);
    if (out.empty() && is_policy_name(type.kind))
        out = all_near(type.kind, kinds_of_group(""));
    if (out.empty() && (is_policy_group(group) || group == "networking.k8s.io"))
        for (const std::string_view each : of_group)
            if (is_short_for(type.kind, each))
                out.emplace_back(each);
    return out;
}

bool may_decide(const TypeMeta& type) {
    if (type.kind.empty())
        return !kinds_of_group(type.group()).empty();
    return type.kind != "Secret" &&
           (type.api_version.empty() || find_kind(type.api_version, type.kind) != nullptr ||
            is_slip(type) || is_policy_name(type.kind) || !kinds_meant(type).empty());
}

namespace {

/// Whether the object would be good if it said so; what has a fix of its own doesn't count.
bool reads_as(const yaml::Node& root, std::string_view api_version, const std::string& kind) {
    const KindRow* row = find_kind(api_version, kind);
    if (row == nullptr)
        return false;
    policy::Cluster unused;
    diag::Diagnostics found;
    ObjectContext context{root, std::string(api_version), kind, unused, found};
    row->read(context);
    return std::all_of(found.list().begin(), found.list().end(), [](const diag::Diagnostic& each) {
        return each.severity == diag::Severity::Note || !each.fixes.empty();
    });
}

} // namespace

void report_unknown_kind(const yaml::Node& root, const TypeMeta& type,
                         diag::Diagnostics& diagnostics) {
    const yaml::Node* where = root.find("kind");
    const yaml::Node* version = root.find("apiVersion");
    auto& diagnostic =
        diagnostics.report(diag::Code::UnknownKind, where != nullptr ? where->span : root.span,
                           {type.api_version + " " + type.kind});
    diagnostic.about(object_label(root, type.kind));
    // The kind as it is written says more than one that is spelt nearly so.
    const auto versions = versions_of_kind(type.kind, type.group());
    const auto meant = kinds_meant(type);
    if (!versions.empty()) {
        diagnostic.with_hint(fmt::format("{} is a kind of {}: correct the apiVersion", type.kind,
                                         fmt::join(versions, " and of ")));
        if (versions.size() == 1 && version != nullptr && reads_as(root, versions[0], type.kind))
            diagnostic.with_fix(diag::replace_text(version->span, type.api_version,
                                                   std::string(versions[0]),
                                                   fmt::format("write `{}`", versions[0])));
    } else if (!meant.empty()) {
        const std::string& near = meant.front();
        diagnostic.with_hint("did you mean `" + near + "`?");
        if (where != nullptr && meant.size() == 1)
            diagnostic.with_fix(
                diag::replace_text(where->span, type.kind, near, "write `" + near + "`"));
    } else {
        diagnostic.with_hint("what is not read protects nothing; correct apiVersion or kind");
    }
}

} // namespace polecat::frontend
