/// invalid: folders whose mistake must be reported on the file (and object) that has it.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/conformance/runner/objects.h"
#include "tests/conformance/runner/suite.h"

namespace polecat::conformance {

namespace fs = std::filesystem;

namespace {

/// The diagnostic stands in that file, and, where an object is named, speaks of it.
bool is_about(const diag::Diagnostic& diagnostic, const Sources& sources, const std::string& folder,
              const nlohmann::json& expect) {
    const bool placed = diagnostic.span.file.value < sources.size();
    const std::string path = placed ? sources.path(diagnostic.span.file) : "";
    if (expect["file"].is_string()) {
        std::string file = expect["file"].get<std::string>();
        const bool named = !placed && diagnostic.message.find(file) != std::string::npos;
        if (!named && path != (fs::path(folder) / file).string() &&
            path != (fs::path(folder) / "manifests" / file).string())
            return false;
    }
    return true;
}

} // namespace

SuiteResult run_invalid(const std::string& dir) {
    SuiteResult out;
    out.name = "invalid";
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(dir))
        if (fs::exists(entry.path() / "expect.json"))
            folders.push_back(entry.path());
    std::sort(folders.begin(), folders.end());
    for (const fs::path& folder : folders) {
        const auto expect = nlohmann::json::parse(suite_file((folder / "expect.json").string()));
        Sources sources;
        diag::Diagnostics diagnostics;
        auto cluster = frontend::load({(folder / "manifests").string()}, sources, diagnostics);
        frontend::check_references(cluster, diagnostics);
        const std::string severity = expect["severity"];
        const auto floor = severity == "error" ? diag::Severity::Error : diag::Severity::Warning;
        const bool found = std::any_of(
            diagnostics.list().begin(), diagnostics.list().end(),
            [&](const diag::Diagnostic& each) {
                return each.severity >= floor &&
                       (severity == "none" || is_about(each, sources, folder.string(), expect));
            });
        ++out.files;
        if (found != (severity == "none"))
            ++out.files_passed;
        else
            out.failed.push_back(folder.filename().string() + ": expected " + severity + " about " +
                                 expect["error_about"].dump());
    }
    out.cases = out.files;
    out.cases_passed = out.files_passed;
    return out;
}

} // namespace polecat::conformance
