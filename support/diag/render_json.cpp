#include <nlohmann/json.hpp>

#include "support/diag/render.h"
#include "support/json_text.h"

namespace polecat::diag {

namespace {

using Json = nlohmann::ordered_json;

Json place(const Span& span, const Sources& sources) {
    if (span.file.value >= sources.size())
        return nullptr;
    Json out{{"file", sources.path(span.file)}};
    if (span.known()) {
        out["line"] = span.line;
        out["column"] = span.column;
        out["length"] = span.length;
    }
    return out;
}

} // namespace

std::string render_json(std::span<const Diagnostic> list, const Sources& sources) {
    std::string out;
    for (const Diagnostic& d : list) {
        Json line{{"code", label(d.code)},
                  {"slug", info(d.code).slug},
                  {"severity", to_string(d.severity)},
                  {"message", d.message},
                  {"place", place(d.span, sources)}};
        if (!d.object.empty())
            line["object"] = d.object;
        for (const Label& each : d.labels)
            line["labels"].push_back({{"place", place(each.span, sources)}, {"text", each.text}});
        for (const std::string& note : d.notes)
            line["notes"].push_back(note);
        if (d.hint)
            line["hint"] = *d.hint;
        if (d.witness)
            line["witness"] = {
                {"from", d.witness->from}, {"to", d.witness->to}, {"traffic", d.witness->traffic}};
        for (const auto& [key, value] : d.facts)
            line[key] = value;
        if (!d.proof.empty())
            line["proof"] = d.proof;
        for (const Fix& fix : d.fixes)
            line["fixes"].push_back({{"place", place(fix.span, sources)},
                                     {"replacement", fix.replacement},
                                     {"description", fix.description}});
        out += json_text(std::move(line), -1);
    }
    return out;
}

} // namespace polecat::diag
