#include <algorithm>

#include "frontend/kinds/fields.h"
#include "frontend/kinds/groups.h"
#include "frontend/kinds/kubernetes_fields.h"
#include "frontend/kinds/names.h"
#include "frontend/placeholders.h"
#include "support/letters.h"

namespace polecat::frontend {

namespace {

constexpr std::size_t kMaxAnnotationBytes = 256u << 10;

void read_labels(Fields& meta, OtherScalars others, policy::Metadata& out) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (auto& [key, value] : meta.string_map("labels", others)) {
        const std::string path = meta.path_of("labels") + "." + key.value;
        if (const auto problem = check_label_key(key.value);
            problem && !holds_placeholder(key.value))
            meta.diagnostics()
                .report(diag::Code::LabelSyntax, key.span, {path, *problem})
                .about(meta.object());
        if (const auto problem = check_label_value(value.value);
            problem && !holds_placeholder(value.value))
            meta.diagnostics()
                .report(diag::Code::LabelSyntax, value.span, {path, *problem})
                .about(meta.object());
        pairs.emplace_back(std::move(key.value), std::move(value.value));
    }
    out.labels = selector::Labels(pairs);
}

/// OpenShift's cluster-version operator, whose manifests have this annotation, takes `KEY-` for an
/// annotation to remove.
bool is_for_openshift(std::string_view annotation) {
    return annotation.starts_with("include.release.openshift.io/") ||
           annotation.starts_with("release.openshift.io/");
}

void read_annotations(Fields& meta, policy::Metadata& out) {
    std::size_t bytes = 0;
    auto pairs = meta.string_map("annotations");
    const bool may_remove = std::any_of(pairs.begin(), pairs.end(), [](const auto& each) {
        return is_for_openshift(each.first.value);
    });
    for (auto& [key, value] : pairs) {
        if (key.value.ends_with('-') && may_remove)
            continue;
        if (const auto problem = check_label_key(lower_case(key.value)))
            meta.diagnostics()
                .report(diag::Code::LabelSyntax, key.span,
                        {meta.path_of("annotations") + "." + key.value, *problem})
                .about(meta.object());
        bytes += key.value.size() + value.value.size();
        out.annotations[std::move(key.value)] = std::move(value.value);
    }
    if (bytes > kMaxAnnotationBytes)
        meta.diagnostics()
            .report(diag::Code::LabelSyntax, meta.key_span("annotations"),
                    {meta.path_of("annotations"), "hold more than 256 KiB"})
            .about(meta.object());
}

/// Of "NetworkPolicy shop/web".
std::string kind_in(const std::string& object) {
    return object.substr(0, object.find(' '));
}

} // namespace

policy::Metadata read_metadata(Fields& root, bool namespaced, diag::Severity unknown) {
    const diag::Watch watch(root.diagnostics());
    Fields meta = root.mapping("metadata");
    policy::Metadata out;
    out.span = root.span();
    const auto name = meta.string("name");
    if (name) {
        out.name = name->value;
        out.span = name->span;
    } else if (const yaml::Node* other = meta.get("name");
               other != nullptr && other->is_scalar() && !other->is_null()) {
        out.name = other->text; // `y`, `1`: what it was meant to be called
        out.span = other->span;
    } else if (const auto prefix = meta.string("generateName"); prefix && !prefix->value.empty()) {
        out.name = prefix->value + "x"; // the API server adds other letters
        out.span = prefix->span;
    }
    const bool is_text = name.has_value() || meta.get("name") == nullptr; // otherwise reported
    if (out.name.empty() && is_text)
        root.diagnostics()
            .report(diag::Code::ObjectName, out.span, {"metadata.name", "is missing"})
            .about(root.object());
    else if (is_text && !is_dns_subdomain(out.name) && !holds_placeholder(out.name))
        root.diagnostics()
            .report(diag::Code::ObjectName, out.span,
                    {"metadata.name",
                     "must be lower-case letters, digits, `-` and `.`, at most 253 characters"})
            .about(root.object());
    const auto space = meta.string("namespace");
    out.space_given = space && !space->value.empty();
    if (space && holds_placeholder(space->value) && is_policy_name(kind_in(root.object()))) {
        out.space_given = false; // the policy may be in any namespace
        report_placeholder(*meta.get("namespace"), root.object(), root.diagnostics());
    }
    if (namespaced)
        out.space = space && !space->value.empty() ? space->value : "default";
    const yaml::Node* version = root.get("apiVersion");
    const bool calico = version != nullptr && version->text.starts_with("projectcalico.org/");
    read_labels(meta, calico ? OtherScalars::Taken : OtherScalars::Refused, out);
    read_annotations(meta, out);
    meta.finish_open(kubernetes_fields::kMetadata, diag::Severity::Error, unknown);
    out.labels_unread = watch.error().has_value();
    if (out.labels_unread && !out.space_given)
        out.space.clear(); // it may be what could not be read
    return out;
}

} // namespace polecat::frontend
