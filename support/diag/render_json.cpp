#include <nlohmann/json.hpp>

#include "support/diag/render.h"

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

std::string_view sarif_level(Severity severity) {
    return to_string(severity);
}

Json sarif_location(const Span& span, const Sources& sources) {
    Json physical{{"artifactLocation", {{"uri", sources.path(span.file)}}}};
    if (span.known())
        physical["region"] = {{"startLine", span.line},
                              {"startColumn", span.column},
                              {"endColumn", span.column + std::max(span.length, 1U)}};
    return {{"physicalLocation", physical}};
}

Json sarif_rules() {
    Json rules = Json::array();
    for (const CodeInfo& row : all_codes())
        rules.push_back({{"id", label(row.code)},
                         {"name", row.name},
                         {"shortDescription", {{"text", row.slug}}},
                         {"defaultConfiguration", {{"level", sarif_level(row.severity)}}}});
    return rules;
}

Json sarif_result(const Diagnostic& d, const Sources& sources) {
    std::string text = d.message;
    if (!d.object.empty())
        text += " (" + d.object + ")";
    for (const std::string& note : d.notes)
        text += "; note: " + note;
    if (d.witness)
        text += "; witness: " + to_string(*d.witness);
    if (!d.proof.empty())
        text += "; holds: " + d.proof;
    if (d.hint)
        text += "; hint: " + *d.hint;
    Json result{{"ruleId", label(d.code)},
                {"level", sarif_level(d.severity)},
                {"message", {{"text", text}}}};
    if (d.span.file.value < sources.size())
        result["locations"] = Json::array({sarif_location(d.span, sources)});
    Json related = Json::array();
    for (const Label& each : d.labels) {
        Json location = sarif_location(each.span, sources);
        location["message"] = {{"text", each.text}};
        related.push_back(location);
    }
    if (!related.empty())
        result["relatedLocations"] = related;
    return result;
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
        if (!d.proof.empty())
            line["proof"] = d.proof;
        for (const Fix& fix : d.fixes)
            line["fixes"].push_back({{"place", place(fix.span, sources)},
                                     {"replacement", fix.replacement},
                                     {"description", fix.description}});
        out += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    }
    return out;
}

std::string render_sarif(std::span<const Diagnostic> list, const Sources& sources) {
    Json results = Json::array();
    for (const Diagnostic& d : list)
        results.push_back(sarif_result(d, sources));
    const Json log{
        {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
        {"version", "2.1.0"},
        {"runs",
         Json::array({{{"tool", {{"driver", {{"name", "polecat"}, {"rules", sarif_rules()}}}}},
                       {"columnKind", "unicodeCodePoints"},
                       {"results", results}}})}};
    return log.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace polecat::diag
