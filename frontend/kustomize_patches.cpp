#include "frontend/kustomize_patches.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "frontend/kinds/groups.h"
#include "frontend/kinds/kinds.h"

namespace polecat::frontend {

namespace {

using yaml::Node;

/// Of a kind: fields that lead to others, and fields of which nothing is read.
struct KnownFields {
    std::vector<std::string_view> on_the_way, unread;

    static bool holds(const std::vector<std::string_view>& words, std::string_view word) {
        return std::find(words.begin(), words.end(), word) != words.end();
    }
    bool leads_on(std::string_view field) const { return holds(on_the_way, field); }
    bool is_unread(std::string_view field) const { return holds(unread, field); }
};

const KnownFields& fields_of_kind(const std::string& kind) {
    static const KnownFields workload{{"metadata", "spec", "template", "jobTemplate", "containers",
                                       "initContainers", "ephemeralContainers"},
                                      {"annotations",
                                       "resources",
                                       "args",
                                       "command",
                                       "env",
                                       "envFrom",
                                       "replicas",
                                       "schedule",
                                       "suspend",
                                       "image",
                                       "imagePullPolicy",
                                       "imagePullSecrets",
                                       "volumes",
                                       "volumeMounts",
                                       "volumeClaimTemplates",
                                       "livenessProbe",
                                       "readinessProbe",
                                       "startupProbe",
                                       "lifecycle",
                                       "securityContext",
                                       "tolerations",
                                       "affinity",
                                       "nodeSelector",
                                       "topologySpreadConstraints",
                                       "priorityClassName",
                                       "terminationGracePeriodSeconds",
                                       "strategy",
                                       "updateStrategy",
                                       "revisionHistoryLimit"}};
    static const KnownFields ingress{{"metadata", "spec", "rules", "tls"},
                                     {"annotations", "host", "hosts", "secretName"}};
    static const KnownFields other{{"metadata"}, {"annotations"}};
    return is_workload_kind(kind) ? workload : kind == "Ingress" ? ingress : other;
}

bool is_number(std::string_view text) {
    return text == "-" || text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// "/spec/template/spec/containers/0/args/-"
bool path_leaves_policy(std::string_view path, const KnownFields& known) {
    while (!path.empty()) {
        path.remove_prefix(1);
        const std::string_view word = path.substr(0, path.find('/'));
        if (known.is_unread(word))
            return true;
        if (!known.leads_on(word) && !is_number(word))
            return false;
        path.remove_prefix(word.size());
    }
    return false; // what stands there is replaced as a whole
}

/// The fields of a patch that is an object in part.
bool fields_leave_policy(const Node& node, const KnownFields& known) {
    if (node.is_sequence())
        return std::all_of(node.items.begin(), node.items.end(),
                           [&](const Node& each) { return fields_leave_policy(each, known); });
    return node.is_mapping() &&
           std::all_of(node.members.begin(), node.members.end(), [&](const yaml::Member& each) {
               const bool names =
                   each.value.is_scalar() && (each.key == "name" || each.key == "namespace" ||
                                              each.key == "apiVersion" || each.key == "kind");
               return names || known.is_unread(each.key) ||
                      (known.leads_on(each.key) && fields_leave_policy(each.value, known));
           });
}

bool operations_leave_policy(const Node& list, const KnownFields& known) {
    return std::all_of(list.items.begin(), list.items.end(), [&](const Node& each) {
        return each.is_mapping() && each.find("from") == nullptr &&
               path_leaves_policy(scalar_text(each, "path"), known);
    });
}

/// Kustomize takes names of kinds for regular expressions: more than letters may be many.
bool is_plain_kind(const std::string& kind) {
    return !kind.empty() && std::all_of(kind.begin(), kind.end(), [](char each) {
        return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z');
    });
}

bool document_leaves_policy(const Node& root, const std::string& target_kind) {
    const std::string kind = target_kind.empty() ? scalar_text(root, "kind") : target_kind;
    if (!is_plain_kind(kind) || (!root.is_sequence() && !root.is_mapping()))
        return false;
    if (versions_of_kind(kind, "").empty())
        return true;
    const KnownFields& known = fields_of_kind(kind);
    return root.is_sequence() ? operations_leave_policy(root, known)
                              : fields_leave_policy(root, known);
}

bool text_leaves_policy(const std::string& text, const std::string& target_kind) {
    // Such annotations and variables are read.
    for (const char* word : {"projectcalico.org", "vpc.amazonaws.com", "polecat.io", "FELIX_"})
        if (text.find(word) != std::string::npos)
            return false;
    Sources sources;
    diag::Diagnostics diagnostics;
    const auto documents = yaml::read_documents(sources, sources.add("patch", text), diagnostics);
    return !diagnostics.has_errors() &&
           std::all_of(documents.begin(), documents.end(), [&](const auto& each) {
               return document_leaves_policy(each.root, target_kind);
           });
}

bool patch_leaves_policy(const Node& patch, const TextOfPatch& text_of) {
    if (patch.is_scalar()) { // a file, or the patch itself
        const auto text =
            patch.text.find('\n') == std::string::npos ? text_of(patch.text) : patch.text;
        return text && text_leaves_policy(*text, "");
    }
    if (!patch.is_mapping() || patch.find("options") != nullptr)
        return false;
    const Node* target = patch.find("target");
    const std::string kind =
        target != nullptr && target->is_mapping() ? scalar_text(*target, "kind") : "";
    if (target != nullptr && kind.empty())
        return false; // of any kind
    const std::string path = scalar_text(patch, "path");
    const auto text = path.empty() ? scalar_text(patch, "patch") : text_of(path);
    return text && text_leaves_policy(*text, kind);
}

} // namespace

bool patches_leave_policy(const Node& patches, const TextOfPatch& text_of) {
    return patches.is_sequence() &&
           std::all_of(patches.items.begin(), patches.items.end(),
                       [&](const Node& each) { return patch_leaves_policy(each, text_of); });
}

} // namespace polecat::frontend
