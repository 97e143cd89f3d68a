/// Renderers of diagnostics. Each returns the whole text; nothing here prints.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "support/diag/diagnostic.h"

namespace polecat::diag {

enum class Format : std::uint8_t { Text, Json, Sarif, Github, Gitlab, Junit };
/// "text", "json", "sarif", "github", "gitlab", "junit".
std::vector<std::string> format_names();
std::optional<Format> find_format(std::string_view name);

struct TextOptions {
    bool colour = false;
};

/// What reports for other programs say beyond the diagnostics.
struct ReportOptions {
    std::string version; ///< of the program that reports
    /// Absolute. What lies below is named relative to it, as services want it that show reports
    /// beside a repository. Empty: paths stay as they were given.
    std::string root;
    std::string docs_url; ///< "https://host/docs/diagnostics/"; empty: no links
    /// The page of "PC1002" in Markdown; may be unset.
    std::function<std::string_view(std::string_view)> page_of;
};

/// For people: "path:line:col: error[PC1002]: message [slug]", source excerpt with carets, labels,
/// notes, hint.
std::string render_text(std::span<const Diagnostic> list, const Sources& sources,
                        TextOptions options = {});

/// One JSON object a line (schema: docs/json.md).
std::string render_json(std::span<const Diagnostic> list, const Sources& sources);

/// SARIF 2.1.0 (OASIS standard), one run. What concerns no file is a notification of the run.
std::string render_sarif(std::span<const Diagnostic> list, const Sources& sources,
                         const ReportOptions& options = {});

/// Workflow commands of GitHub Actions, one a line, errors first: GitHub shows only the first few.
std::string render_github(std::span<const Diagnostic> list, const Sources& sources,
                          const ReportOptions& options = {});

/// Lines that belong to no file, as one annotation; empty for empty text.
std::string github_notice(std::string_view text);

/// GitLab's code quality report.
std::string render_gitlab(std::span<const Diagnostic> list, const Sources& sources,
                          const ReportOptions& options = {});

/// JUnit XML: a test case for each file that was read, failed where it has errors or warnings.
std::string render_junit(std::span<const Diagnostic> list, const Sources& sources,
                         const ReportOptions& options = {});

std::string render(Format format, std::span<const Diagnostic> list, const Sources& sources,
                   TextOptions text, const ReportOptions& report);

} // namespace polecat::diag
