#include "frontend/openshift_templates.h"

#include <fmt/format.h>

#include "frontend/unrendered.h"

namespace polecat::frontend {

namespace {

/// The first releases of OpenShift had it in Kubernetes' own group.
bool is_template(const TypeMeta& type) {
    return type.kind == "Template" &&
           (type.group() == "template.openshift.io" || type.api_version == "v1");
}

std::size_t policies_in(const yaml::Node& root) {
    const yaml::Node* objects = root.find("objects");
    if (objects == nullptr || !objects->is_sequence())
        return 0;
    std::size_t out = 0;
    for (const yaml::Node& each : objects->items)
        out += each.is_mapping() && is_policy_name(scalar_text(each, "kind")) ? 1 : 0;
    return out;
}

} // namespace

void report_unprocessed(const std::vector<Object>& objects, const Sources* sources,
                        diag::Diagnostics& diagnostics) {
    for (const Object& each : objects) {
        const std::size_t count = is_template(each.type) ? policies_in(*each.root) : 0;
        if (count == 0)
            continue;
        const std::string file =
            sources == nullptr ? "FILE" : shell_quoted(sources->path(each.root->span.file));
        const std::string label = object_label(*each.root, each.type.kind);
        const yaml::Node* version = each.root->find("apiVersion");
        diagnostics
            .report(diag::Code::UnprocessedTemplate,
                    version != nullptr ? version->span : each.root->span,
                    {fmt::format("{} polic{}", count, count == 1 ? "y" : "ies"),
                     count == 1 ? "is" : "are"})
            .about(label)
            .with_hint(
                fmt::format("`oc process --local -f {} | polecat lint -`, with `-p NAME=VALUE` "
                            "for each parameter that must be given",
                            file));
    }
}

} // namespace polecat::frontend
