/// Secret: the names of its keys, for passwords of BGP sessions. No value is read, and nothing that
/// is reported shows a line of one.
#include "frontend/kinds/kinds.h"

namespace polecat::frontend {

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
    // Excerpts would show what stands beside: the file has to do.
    problems.keep_if([](diag::Diagnostic& each) {
        each.span = Span{each.span.file, 0, 0, 0};
        each.labels.clear();
        each.fixes.clear();
        return true;
    });
    context.diagnostics.append(problems);
    context.cluster.secrets.push_back(std::move(out));
}

} // namespace polecat::frontend
