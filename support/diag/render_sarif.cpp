#include <algorithm>

#include <nlohmann/json.hpp>

#include "support/diag/render.h"
#include "support/diag/report.h"

namespace polecat::diag {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kRoot = "%SRCROOT%";

/// First paragraph below the title of a page, in one line.
std::string first_paragraph(std::string_view page) {
    const std::size_t begin = page.find("\n\n");
    if (!page.starts_with("# ") || begin == std::string_view::npos)
        return {};
    page.remove_prefix(begin + 2);
    std::string out(page.substr(0, page.find("\n\n")));
    std::replace(out.begin(), out.end(), '\n', ' ');
    while (out.ends_with(' '))
        out.pop_back();
    return out;
}

std::string first_sentence(const std::string& paragraph) {
    const std::size_t end = paragraph.find(". ");
    return end == std::string::npos ? paragraph : paragraph.substr(0, end + 1);
}

/// Every rule, found or not: a report without results says so of these.
Json rules(const ReportOptions& options) {
    Json out = Json::array();
    for (const CodeInfo& row : all_codes()) {
        const std::string id = label(row.code);
        const std::string_view page = options.page_of ? options.page_of(id) : std::string_view{};
        const std::string paragraph = first_paragraph(page);
        const std::string full = paragraph.empty() ? std::string(row.slug) : paragraph;
        Json rule{{"id", id},
                  {"name", row.name},
                  {"shortDescription", {{"text", first_sentence(full)}}},
                  {"fullDescription", {{"text", full}}},
                  {"defaultConfiguration", {{"level", to_string(row.severity)}}}};
        if (!page.empty())
            rule["help"] = {{"text", page}, {"markdown", page}};
        if (!options.docs_url.empty())
            rule["helpUri"] = options.docs_url + id + ".md";
        out.push_back(rule);
    }
    return out;
}

std::size_t rule_index(Code code) {
    const auto all = all_codes();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const CodeInfo& row) { return row.code == code; });
    return static_cast<std::size_t>(found - all.begin());
}

class Run {
  public:
    Run(const Sources& sources, const ReportOptions& options)
        : sources_(sources), options_(options) {}

    bool placed(const Span& span) const { return span.file.value < sources_.size(); }

    Json artifact(FileId file) const {
        const std::string path = report_path(sources_.path(file), options_.root);
        Json out{{"uri", to_uri(path)}};
        if (!path.starts_with('/'))
            out["uriBaseId"] = kRoot;
        return out;
    }

    /// Columns are counted from 1 in Unicode characters; the end is the first column behind.
    static Json region(const Span& span, std::uint32_t length) {
        return {{"startLine", span.line},
                {"startColumn", span.column},
                {"endLine", span.line},
                {"endColumn", span.column + length}};
    }

    Json location(const Span& span) const {
        Json physical{{"artifactLocation", artifact(span.file)}};
        if (span.known())
            physical["region"] = region(span, std::max(span.length, 1U));
        return {{"physicalLocation", physical}};
    }

    /// Empty when the place to change is not known.
    Json fix(const Fix& change) const {
        if (!placed(change.span) || !change.span.known())
            return {};
        const Json replacement{{"deletedRegion", region(change.span, change.span.length)},
                               {"insertedContent", {{"text", change.replacement}}}};
        return {{"description", {{"text", change.description}}},
                {"artifactChanges", Json::array({{{"artifactLocation", artifact(change.span.file)},
                                                  {"replacements", Json::array({replacement})}}})}};
    }

  private:
    const Sources& sources_;
    const ReportOptions& options_;
};

/// Brackets are escaped where the text would read as a link ("[text](target)") otherwise.
std::string link_text(std::string_view text) {
    std::string out;
    for (const char each : text) {
        if (each == '[' || each == ']' || each == '\\')
            out += '\\';
        out += each;
    }
    return out;
}

std::string plain(const std::string& text) {
    return text.find("](") == std::string::npos ? text : link_text(text);
}

/// The message with all that belongs to it, in one line. Links lead to the related places.
std::string message_text(const Diagnostic& d, const Run& run) {
    std::string out = plain(d.message);
    std::size_t id = 0;
    for (const Label& each : d.labels)
        if (run.placed(each.span))
            out += "; [" + link_text(each.text) + "](" + std::to_string(++id) + ")";
    for (const std::string& each : details(d))
        out += "; " + plain(each);
    return out;
}

Json properties(const Diagnostic& d) {
    Json out{{"slug", info(d.code).slug}};
    if (d.witness)
        out["witness"] = {
            {"from", d.witness->from}, {"to", d.witness->to}, {"traffic", d.witness->traffic}};
    if (!d.proof.empty())
        out["proof"] = d.proof;
    return out;
}

Json result(const Diagnostic& d, const Run& run, const std::string& fingerprint) {
    Json location = run.location(d.span);
    if (!d.object.empty())
        location["logicalLocations"] =
            Json::array({{{"fullyQualifiedName", d.object}, {"kind", "object"}}});
    Json out{{"ruleId", label(d.code)},
             {"ruleIndex", rule_index(d.code)},
             {"level", to_string(d.severity)},
             {"message", {{"text", message_text(d, run)}}},
             {"locations", Json::array({location})}};
    for (const Label& each : d.labels) {
        if (!run.placed(each.span))
            continue;
        Json related{{"id", out["relatedLocations"].size() + 1}};
        related.update(run.location(each.span));
        related["message"] = {{"text", plain(each.text)}};
        out["relatedLocations"].push_back(related);
    }
    out["partialFingerprints"] = {{"polecat/v1", fingerprint}};
    for (const Fix& each : d.fixes)
        if (const Json change = run.fix(each); !change.empty())
            out["fixes"].push_back(change);
    out["properties"] = properties(d);
    return out;
}

/// Code scanning refuses a result without a place, and SARIF has notifications for what concerns
/// the run itself.
Json notification(const Diagnostic& d, const Run& run) {
    return {{"level", to_string(d.severity)},
            {"message", {{"text", message_text(d, run)}}},
            {"associatedRule", {{"id", label(d.code)}, {"index", rule_index(d.code)}}}};
}

Json driver(const ReportOptions& options) {
    Json out{{"name", "polecat"}};
    if (!options.version.empty())
        out["semanticVersion"] = options.version;
    if (!options.docs_url.empty())
        out["informationUri"] = options.docs_url;
    out["rules"] = rules(options);
    return out;
}

} // namespace

std::string render_sarif(std::span<const Diagnostic> list, const Sources& sources,
                         const ReportOptions& options) {
    const Run run(sources, options);
    const auto prints = fingerprints(list, sources, options.root);
    Json results = Json::array();
    Json invocation{{"executionSuccessful", true}};
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Diagnostic& d = list[i];
        if (run.placed(d.span)) {
            results.push_back(result(d, run, prints[i]));
            continue;
        }
        if (d.severity == Severity::Error)
            invocation["executionSuccessful"] = false;
        invocation["toolExecutionNotifications"].push_back(notification(d, run));
    }
    const Json log{
        {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
        {"version", "2.1.0"},
        {"runs",
         Json::array({{{"tool", {{"driver", driver(options)}}},
                       {"invocations", Json::array({invocation})},
                       {"originalUriBaseIds",
                        {{kRoot, {{"description", {{"text", "the folder polecat ran in"}}}}}}},
                       {"columnKind", "unicodeCodePoints"},
                       {"results", results}}})}};
    return log.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace polecat::diag
