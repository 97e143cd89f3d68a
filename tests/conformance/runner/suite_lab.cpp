/// lab: a scenario as written (its mistakes must be refused) and as meant (its tests must hold),
/// and snippets of other kinds (each must be read).
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/conformance/runner/objects.h"
#include "tests/conformance/runner/suite.h"

namespace polecat::conformance {

namespace fs = std::filesystem;

namespace {

void judge_written(const fs::path& folder, SuiteResult& out) {
    Sources sources;
    diag::Diagnostics diagnostics;
    frontend::load({(folder / "manifests").string()}, sources, diagnostics);
    ++out.files;
    bool all = true;
    const auto expect = nlohmann::json::parse(suite_file((folder / "expect.json").string()));
    for (const auto& error : expect["errors"]) {
        ++out.cases;
        const std::string file = (folder / error["file"].get<std::string>()).string();
        const bool found = std::any_of(diagnostics.list().begin(), diagnostics.list().end(),
                                       [&](const diag::Diagnostic& each) {
                                           return each.severity == diag::Severity::Error &&
                                                  each.span.file.value < sources.size() &&
                                                  sources.path(each.span.file) == file;
                                       });
        out.cases_passed += found ? 1 : 0;
        all = all && found;
        if (!found)
            out.failed.push_back("as-written: no error about " + error["about"].dump());
    }
    out.files_passed += all ? 1 : 0;
}

/// Nothing of a snippet may pass unread; values in it may well be refused.
void judge_snippet(const fs::path& path, SuiteResult& out) {
    Sources sources;
    diag::Diagnostics diagnostics;
    frontend::load({path.string()}, sources, diagnostics);
    ++out.files;
    ++out.cases;
    for (const diag::Diagnostic& each : diagnostics.list()) {
        const bool unread =
            each.code == diag::Code::UnknownKind || each.code == diag::Code::UnreadKind ||
            each.code == diag::Code::UnknownField || each.code == diag::Code::YamlSyntax;
        if (!unread)
            continue;
        out.failed.push_back("snippets/" + path.filename().string() + ": " + each.message);
        return;
    }
    ++out.files_passed;
    ++out.cases_passed;
}

} // namespace

SuiteResult run_lab(const std::string& dir) {
    SuiteResult out = run_policy_tests(dir);
    judge_written(fs::path(dir) / "as-written", out);
    std::vector<fs::path> snippets;
    for (const auto& entry : fs::directory_iterator(fs::path(dir) / "snippets"))
        snippets.push_back(entry.path());
    std::sort(snippets.begin(), snippets.end());
    for (const fs::path& path : snippets)
        judge_snippet(path, out);
    return out;
}

} // namespace polecat::conformance
