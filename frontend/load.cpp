#include "frontend/load.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "frontend/kinds/foreign_policies.h"
#include "frontend/kinds/kinds.h"
#include "frontend/kinds/pod_makers.h"
#include "frontend/kinds/unread.h"
#include "support/diag/fix.h"

namespace polecat::frontend {

namespace fs = std::filesystem;

namespace {

/// Files below a folder, in path order.
std::vector<fs::path> files_below(const fs::path& folder, std::error_code& error) {
    std::vector<fs::path> out;
    for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
         it.increment(error)) {
        std::error_code dangling; // a link to nowhere is read, and then reported by name
        if (is_manifest_name(it->path().string()) && !it->is_directory(dangling))
            out.push_back(it->path());
    }
    std::sort(out.begin(), out.end());
    return out;
}

void report_unreadable(const std::string& path, const std::string& why,
                       diag::Diagnostics& diagnostics) {
    diagnostics.report(diag::Code::UnreadableFile, Span{}, {path, why});
}

/// What files hold.
struct Contents {
    std::vector<yaml::Document> documents;
    std::vector<Span> lost; ///< places in documents that could not be read
};

void read_text(File file, Sources& sources, diag::Diagnostics& diagnostics, Contents& out) {
    const FileId id = sources.add(std::move(file.path), std::move(file.text));
    diag::Diagnostics found;
    std::vector<yaml::Document> documents = yaml::read_documents(sources, id, found);
    for (const diag::Diagnostic& each : found.list())
        if (each.severity == diag::Severity::Error)
            out.lost.push_back(each.span);
    diagnostics.append(found);
    std::move(documents.begin(), documents.end(), std::back_inserter(out.documents));
}

void read_file(const std::string& path, Sources& sources, diag::Diagnostics& diagnostics,
               Contents& out) {
    std::stringstream text;
    if (path == "-") {
        text << std::cin.rdbuf();
    } else {
        std::ifstream in(path, std::ios::binary);
        if (!in)
            return report_unreadable(path, "it can't be opened", diagnostics);
        text << in.rdbuf();
        if (in.bad())
            return report_unreadable(path, "reading failed", diagnostics);
    }
    read_text({path, std::move(text).str()}, sources, diagnostics, out);
}

std::string scalar_text(const yaml::Node& root, std::string_view key) {
    const yaml::Node* found = root.find(key);
    return found != nullptr && found->is_scalar() ? found->text : std::string();
}

/// Expectation files of `polecat test` lie beside manifests.
bool is_expectation(std::string_view api_version, std::string_view kind) {
    return api_version == "polecat/v1" && (kind == "PolicyTest" || kind == "PolicyDiffTest");
}

/// Groups in which an unknown kind is a slip, since a policy that is not read is an open door; ours
/// is one of them.
bool is_policy_group(std::string_view group) {
    return group == "projectcalico.org" || group == "crd.projectcalico.org" ||
           group == "policy.networking.k8s.io" || group == "polecat";
}

/// Calico's kinds that hold no policy and that lowering has no use for: the state of IPAM, and what
/// only its enterprise edition has.
bool is_unread_calico_kind(std::string_view kind) {
    static constexpr std::string_view kNames[] = {"IPAMBlock",
                                                  "IPAMConfig",
                                                  "IPAMHandle",
                                                  "BlockAffinity",
                                                  "RemoteClusterConfiguration",
                                                  "LicenseKey",
                                                  "GlobalAlert",
                                                  "GlobalAlertTemplate",
                                                  "GlobalReport",
                                                  "GlobalReportType",
                                                  "GlobalThreatFeed",
                                                  "AlertException",
                                                  "ManagedCluster",
                                                  "PacketCapture",
                                                  "DeepPacketInspection",
                                                  "UISettings",
                                                  "UISettingsGroup",
                                                  "BFDConfiguration",
                                                  "EgressGatewayPolicy",
                                                  "ExternalNetwork",
                                                  "SecurityEventWebhook"};
    return std::find(std::begin(kNames), std::end(kNames), kind) != std::end(kNames);
}

/// A kind of Kubernetes' own groups that is nearly one that is read, or stands in another group.
bool is_kubernetes_slip(std::string_view group, std::string_view kind) {
    static constexpr std::string_view kGroups[] = {
        "v1", "apps", "batch", "discovery.k8s.io", "networking.k8s.io", "extensions"};
    if (std::find(std::begin(kGroups), std::end(kGroups), group) == std::end(kGroups))
        return false;
    for (const std::string_view each : kGroups) {
        const auto kinds = kinds_of_group(each);
        const auto near = diag::nearest(kind, kinds);
        if (near && (each == group || *near == kind))
            return true;
    }
    return false;
}

bool is_policy_name(std::string_view kind) {
    static constexpr std::string_view kNames[] = {"NetworkPolicy",
                                                  "GlobalNetworkPolicy",
                                                  "StagedNetworkPolicy",
                                                  "StagedGlobalNetworkPolicy",
                                                  "ClusterNetworkPolicy",
                                                  "AdminNetworkPolicy",
                                                  "BaselineAdminNetworkPolicy"};
    const auto near = diag::nearest(kind, kNames);
    return near.has_value() && (kind.find("olicy") != std::string_view::npos || *near == kind);
}

/// `near` is another kind, and no second one of the group is near as well.
bool is_only_near(const std::string& kind, const std::string& near,
                  std::vector<std::string_view> kinds) {
    std::erase(kinds, near);
    return near != kind && !diag::nearest(kind, kinds);
}

void report_unknown_kind(const yaml::Node& root, const std::string& api_version,
                         const std::string& kind, diag::Diagnostics& diagnostics) {
    const yaml::Node* where = root.find("kind");
    auto& diagnostic =
        diagnostics.report(diag::Code::UnknownKind, where != nullptr ? where->span : root.span,
                           {api_version + " " + kind});
    diagnostic.about(object_label(root, kind));
    const std::string group = api_version.substr(0, api_version.find('/'));
    const auto kinds = kinds_of_group(group);
    if (const auto near = diag::nearest(kind, kinds)) {
        diagnostic.with_hint(*near == kind ? "this kind has another apiVersion in group " + group
                                           : "did you mean `" + *near + "`?");
        if (where != nullptr && is_only_near(kind, *near, kinds))
            diagnostic.with_fix(
                diag::replace_text(where->span, kind, *near, "write `" + *near + "`"));
    } else {
        diagnostic.with_hint("what is not read protects nothing; correct apiVersion or kind");
    }
}

/// apiVersion and kind; items of a typed list (PodList) may leave them to the list.
struct TypeMeta {
    std::string api_version, kind;
};

void load_object(const yaml::Node& root, const TypeMeta& implied, policy::Cluster& cluster,
                 diag::Diagnostics& diagnostics);

void load_list(const yaml::Node& root, const TypeMeta& type, policy::Cluster& cluster,
               diag::Diagnostics& diagnostics) {
    const yaml::Node* items = root.find("items");
    if (items == nullptr || items->is_null())
        return;
    if (!items->is_sequence()) {
        report_wrong_type(diagnostics, *items, "items", "a list", type.kind);
        return;
    }
    const TypeMeta implied =
        type.kind == "List" ? TypeMeta{}
                            : TypeMeta{type.api_version, type.kind.substr(0, type.kind.size() - 4)};
    for (const yaml::Node& item : items->items)
        load_object(item, implied, cluster, diagnostics);
}

std::optional<TypeMeta> type_of(const yaml::Node& root, const TypeMeta& implied,
                                diag::Diagnostics& diagnostics) {
    if (!root.is_mapping()) {
        report_wrong_type(diagnostics, root, "the document", "a mapping", "");
        return std::nullopt;
    }
    TypeMeta out{scalar_text(root, "apiVersion"), scalar_text(root, "kind")};
    if (out.api_version.empty() && out.kind.empty())
        out = implied;
    if (!out.api_version.empty() && !out.kind.empty())
        return out;
    diagnostics
        .report(diag::Code::MissingKind, root.span,
                {out.api_version.empty() ? "apiVersion" : "kind"})
        .with_hint("a manifest starts with apiVersion and kind");
    return std::nullopt;
}

/// The API fills in what the storage leaves open: a policy without types means another thing there.
void report_legacy(const yaml::Node& root, const TypeMeta& type, diag::Diagnostics& diagnostics) {
    constexpr const char* kApi = "projectcalico.org/v3";
    const yaml::Node* version = root.find("apiVersion");
    const Span place = version != nullptr ? version->span : root.span;
    auto& diagnostic = diagnostics.report(diag::Code::LegacyApiVersion, place, {type.kind});
    diagnostic.about(object_label(root, type.kind))
        .with_hint(std::string("write `apiVersion: ") + kApi + "`");
    const yaml::Node* spec = root.find("spec");
    const yaml::Node* types = spec != nullptr && spec->is_mapping() ? spec->find("types") : nullptr;
    const bool same = !is_policy_name(type.kind) ||
                      (types != nullptr && types->is_sequence() && !types->items.empty());
    if (same && version != nullptr)
        diagnostic.with_fix(diag::replace_text(place, type.api_version, kApi, "name Calico's API"));
}

void load_object(const yaml::Node& root, const TypeMeta& implied, policy::Cluster& cluster,
                 diag::Diagnostics& diagnostics) {
    const auto type = type_of(root, implied, diagnostics);
    if (!type || is_expectation(type->api_version, type->kind))
        return;
    const auto& [api_version, kind] = *type;
    const std::string group = api_version.substr(0, api_version.find('/'));
    if (const KindRow* row = find_kind(api_version, kind)) {
        ObjectContext context{root,    api_version, kind,
                              cluster, diagnostics, group == "crd.projectcalico.org"};
        if (context.legacy_crd)
            report_legacy(root, *type, diagnostics);
        UnreadWatch watch(cluster, diagnostics);
        row->read(context);
        watch.settle(root, api_version, kind);
    } else if (kind.ends_with("List") && (kind.size() == 4 || root.find("items") != nullptr)) {
        load_list(root, *type, cluster, diagnostics);
    } else if (group == "kustomize.config.k8s.io" || kind == "Kustomization") {
        diagnostics.report(diag::Code::UnrenderedTemplate, root.span)
            .with_hint("render it first: `kubectl kustomize . | polecat lint -`");
    } else if (is_foreign_policy(group, kind)) {
        note_foreign_policy(root, api_version, kind, cluster);
    } else if ((is_policy_group(group) && !is_unread_calico_kind(kind)) || is_policy_name(kind) ||
               is_kubernetes_slip(group, kind)) {
        report_unknown_kind(root, api_version, kind, diagnostics);
        add_unread_object(root, api_version, kind, root.span, cluster);
    } else {
        ++cluster.unread_kinds[api_version + " " + kind];
        if (makes_pods(group, kind, root))
            note_unread_pods(root, kind, cluster);
    }
}

/// Everything read; `from`: where, should there be nothing.
policy::Cluster load_all(const Contents& contents, const Sources& sources, const std::string& from,
                         diag::Diagnostics& diagnostics) {
    policy::Cluster cluster;
    load_documents(contents.documents, cluster, diagnostics);
    add_unread_documents(contents.lost, sources, cluster);
    if (contents.documents.empty() && !diagnostics.has_errors())
        diagnostics.report(diag::Code::NoManifests, Span{}, {from})
            .with_hint("there is no object in them");
    report_foreign_policies(cluster, diagnostics);
    for (const auto& [kind, count] : cluster.unread_kinds)
        diagnostics.report(diag::Code::UnreadKind, Span{},
                           {kind, std::to_string(count) + (count == 1 ? " object" : " objects")});
    return cluster;
}

} // namespace

bool is_manifest_name(const std::string& path) {
    const std::string name = fs::path(path).filename().string();
    std::string extension = fs::path(path).extension().string();
    for (char& c : extension)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return (extension == ".yaml" || extension == ".yml" || extension == ".json") &&
           name.find(".policytest.") == std::string::npos && name != ".polecat.yaml" &&
           name != ".polecat-baseline.json";
}

void load_documents(const std::vector<yaml::Document>& documents, policy::Cluster& cluster,
                    diag::Diagnostics& diagnostics) {
    for (const yaml::Document& document : documents)
        load_object(document.root, {}, cluster, diagnostics);
}

policy::Cluster load(const std::vector<std::string>& paths, Sources& sources,
                     diag::Diagnostics& diagnostics,
                     const std::function<bool(const std::string&)>& excluded) {
    Contents contents;
    std::set<fs::path> read; // a file that two of the paths lead to is read once
    const auto read_once = [&](const std::string& path) {
        std::error_code error;
        const fs::path real = fs::canonical(path, error);
        if (error || read.insert(real).second)
            read_file(path, sources, diagnostics, contents);
    };
    for (const std::string& path : paths) {
        std::error_code error;
        if (path != "-" && fs::is_directory(path, error)) {
            const auto files = files_below(path, error);
            if (error)
                report_unreadable(path, error.message(), diagnostics);
            else if (files.empty())
                diagnostics.report(diag::Code::NoManifests, Span{}, {path})
                    .with_hint("manifests end in .yaml, .yml or .json");
            for (const fs::path& file : files)
                if (!excluded || !excluded(file.string()))
                    read_once(file.string());
        } else if (path != "-" && !fs::exists(path, error)) {
            report_unreadable(path, "no such file or folder", diagnostics);
        } else {
            read_once(path);
        }
    }
    return load_all(contents, sources, fmt::format("{}", fmt::join(paths, ", ")), diagnostics);
}

policy::Cluster load_files(std::vector<File> files, Sources& sources,
                           diag::Diagnostics& diagnostics) {
    Contents contents;
    for (File& file : files)
        read_text(std::move(file), sources, diagnostics, contents);
    return load_all(contents, sources, "these files", diagnostics);
}

} // namespace polecat::frontend
