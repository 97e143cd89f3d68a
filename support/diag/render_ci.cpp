#include <algorithm>

#include <nlohmann/json.hpp>

#include "support/diag/printable.h"
#include "support/diag/render.h"
#include "support/diag/report.h"
#include "support/junit.h"
#include "support/listed.h"

namespace polecat::diag {

namespace {

using Json = nlohmann::ordered_json;

/// The value of a workflow command; of one of its properties with `property`.
std::string escaped(std::string_view text, bool property) {
    std::string out;
    for (const char each : text) {
        if (each == '%')
            out += "%25";
        else if (each == '\n')
            out += "%0A";
        else if (property && each == ':')
            out += "%3A";
        else if (property && each == ',')
            out += "%2C";
        else
            out += each;
    }
    return out;
}

std::string property(std::string_view text) {
    return escaped(printable(text), true);
}

const char* command_of(Severity severity) {
    switch (severity) {
    case Severity::Error:
        return "error";
    case Severity::Warning:
        return "warning";
    case Severity::Note:
        return "notice";
    }
    return "error";
}

std::string github_line(const Diagnostic& d, const Sources& sources, const ReportOptions& options) {
    const bool placed = d.span.file.value < sources.size();
    const bool in_file = placed && sources.path(d.span.file) != "-";
    std::string out = "::" + std::string(command_of(d.severity)) + " ";
    if (in_file)
        out += "file=" + property(report_path(sources.path(d.span.file), options.root)) + ",";
    if (in_file && d.span.known())
        out += "line=" + std::to_string(d.span.line) + ",endLine=" + std::to_string(d.span.line) +
               ",col=" + std::to_string(d.span.column) +
               ",endColumn=" + std::to_string(d.span.column + std::max(d.span.length, 1U)) + ",";
    out += "title=" + property(label(d.code) + " " + std::string(info(d.code).slug)) + "::";
    // An annotation can't stand in standard input, so its message says the place.
    std::string text = placed && !in_file ? sources.describe(d.span) + ": " : "";
    text = printable(text + d.message);
    for (const Label& each : d.labels)
        text += "\n" + printable(each.text + ": " + sources.describe(each.span));
    for (const std::string& each : details(d))
        text += "\n" + printable(each);
    return out + escaped(text, false) + "\n";
}

/// GitLab knows info, minor, major, critical and blocker.
const char* gitlab_severity(Severity severity) {
    switch (severity) {
    case Severity::Error:
        return "critical";
    case Severity::Warning:
        return "major";
    case Severity::Note:
        return "info";
    }
    return "critical";
}

/// The findings of one file as one test case: services show only one failure of a case.
junit::Case junit_case(const std::string& path, std::span<const Diagnostic> found,
                       const Sources& sources, bool read) {
    junit::Case out{path, "polecat.lint", read ? path : "", junit::Case::Outcome::Passed, {}, {}};
    std::size_t errors = 0, warnings = 0;
    for (const Diagnostic& each : found) {
        errors += each.severity == Severity::Error ? 1 : 0;
        warnings += each.severity == Severity::Warning ? 1 : 0;
    }
    if (errors + warnings == 0)
        return out;
    out.outcome = read ? junit::Case::Outcome::Failed : junit::Case::Outcome::Error;
    out.message = counted(errors, "error") + ", " + counted(warnings, "warning");
    out.text = render_text(found, sources);
    return out;
}

} // namespace

std::string render_github(std::span<const Diagnostic> list, const Sources& sources,
                          const ReportOptions& options) {
    std::string out;
    for (const Severity severity : {Severity::Error, Severity::Warning, Severity::Note})
        for (const Diagnostic& each : list)
            if (each.severity == severity)
                out += github_line(each, sources, options);
    return out;
}

std::string github_notice(std::string_view text) {
    if (text.ends_with('\n'))
        text.remove_suffix(1);
    return text.empty() ? "" : "::notice title=polecat notes::" + escaped(text, false) + "\n";
}

std::string render_gitlab(std::span<const Diagnostic> list, const Sources& sources,
                          const ReportOptions& options) {
    const auto prints = fingerprints(list, sources, options.root);
    Json out = Json::array();
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Diagnostic& d = list[i];
        const bool placed = d.span.file.value < sources.size();
        std::string text = label(d.code) + ": " + d.message;
        for (const std::string& each : details(d))
            text += "; " + each;
        // A report has no place for what concerns no file or no line, and must have one.
        out.push_back(
            {{"description", text},
             {"check_name", label(d.code) + " " + std::string(info(d.code).slug)},
             {"fingerprint", prints[i]},
             {"severity", gitlab_severity(d.severity)},
             {"location",
              {{"path", placed ? report_path(sources.path(d.span.file), options.root) : "."},
               {"lines", {{"begin", std::max(d.span.line, 1U)}}}}}});
    }
    return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string render_junit(std::span<const Diagnostic> list, const Sources& sources,
                         const ReportOptions& options) {
    std::vector<std::vector<Diagnostic>> of_file(sources.size());
    std::vector<Diagnostic> elsewhere;
    for (const Diagnostic& each : list)
        (each.span.file.value < sources.size() ? of_file[each.span.file.value] : elsewhere)
            .push_back(each);
    junit::Suite suite{"polecat lint", {}};
    for (std::size_t i = 0; i < of_file.size(); ++i) {
        const auto& path = sources.path(FileId{static_cast<std::uint32_t>(i)});
        suite.cases.push_back(
            junit_case(report_path(path, options.root), of_file[i], sources, true));
    }
    if (!elsewhere.empty())
        suite.cases.push_back(junit_case("input", elsewhere, sources, false));
    return junit::to_xml("polecat", std::span(&suite, 1));
}

} // namespace polecat::diag
