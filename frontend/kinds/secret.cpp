/// Secret: the names of its keys, for passwords of BGP sessions. No value is read, and nothing that
/// is reported shows a line of one.
#include <algorithm>

#include "frontend/kinds/kinds.h"

namespace polecat::frontend {

namespace {

/// Excerpts show the whole line: that of `kind` shows nothing where the values stand below it, or
/// above it in lines of their own.
Span harmless_place(const yaml::Node& root) {
    const auto kind = std::find_if(root.members.begin(), root.members.end(),
                                   [](const yaml::Member& each) { return each.key == "kind"; });
    const Span& at = kind->key_span;
    const bool alone =
        std::all_of(root.members.begin(), root.members.end(), [&](const yaml::Member& each) {
            return (each.key != "data" && each.key != "stringData" && each.key != "metadata") ||
                   at.line < each.key_span.line ||
                   (at.line > each.key_span.line && at.column == each.key_span.column);
        });
    return alone ? kind->value.span : Span{};
}

} // namespace

void read_secret(ObjectContext& context) {
    diag::Diagnostics problems;
    Fields root(&context.root, "", object_label(context), problems);
    policy::Secret out;
    out.meta = read_metadata(root, true);
    for (const char* field : {"data", "stringData"})
        if (const yaml::Node* data = root.get(field); data != nullptr && data->is_mapping())
            for (const yaml::Member& member : data->members)
                out.keys.push_back({member.key, member.key_span});
        else if (data != nullptr)
            report_wrong_type(problems, *data, field, "a mapping", root.object());
    const Span place = harmless_place(context.root);
    problems.keep_if([&](diag::Diagnostic& each) {
        each.span = place.known() ? place : Span{each.span.file, 0, 0, 0};
        each.labels.clear();
        each.fixes.clear();
        return true;
    });
    context.diagnostics.append(problems);
    context.cluster.secrets.push_back(std::move(out));
}

} // namespace polecat::frontend
