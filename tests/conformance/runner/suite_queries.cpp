/// FOLDER/*/queries.json: questions about configurations of policies with the number that answers
/// them. Entries with a `doubt` are not asked.
#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "driver/input/input.h"
#include "tests/conformance/runner/objects.h"
#include "tests/conformance/runner/queries.h"
#include "tests/conformance/runner/suite.h"
#include "tests/conformance/runner/warnings.h"

namespace polecat::conformance {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

std::vector<std::string> manifests_of(const fs::path& folder, const json& configuration) {
    std::vector<std::string> out;
    for (const json& each : configuration.at("manifests"))
        out.push_back((folder / each.get<std::string>()).string());
    return out;
}

Configuration load(const fs::path& folder, const json& configuration) {
    const auto input = driver::read_input(manifests_of(folder, configuration));
    const std::string name = configuration.at("config");
    for (const diag::Diagnostic& each : input.diagnostics.list())
        if (each.severity == diag::Severity::Error)
            throw std::runtime_error(name + ": " + each.message);
    return configure(name, input.cluster);
}

/// The number that the entry gives: what its source expects, else what NCA said when it was run.
std::size_t expected(const json& entry) {
    for (const char* key : {"expected", "got_from_nca"})
        if (entry.contains(key) && entry[key].is_number_unsigned())
            return entry[key].get<std::size_t>();
    throw std::runtime_error("the entry gives no number");
}

std::string judge(const fs::path& folder, const json& entry) {
    const std::string query = entry.at("query");
    const json& configs = entry.at("configs");
    const std::size_t wanted = expected(entry);
    std::string found = "no answer";
    if (query == "parserWarnings") {
        if (configs.size() == 1)
            found = judge_warnings(manifests_of(folder, configs.front()), wanted);
    } else {
        std::vector<Configuration> configurations;
        for (const json& each : configs)
            configurations.push_back(load(folder, each));
        if (const auto answer = answer_query(query, configurations))
            found = answer->count == wanted
                        ? ""
                        : fmt::format("{} ({})", answer->count, answer->details);
    }
    return found.empty() ? "" : fmt::format("expected {}, found {}", wanted, found);
}

/// What is wrong; empty: the entry holds.
std::string problem_of(const fs::path& folder, const json& entry) {
    try {
        return judge(folder, entry);
    } catch (const std::exception& failure) {
        return failure.what();
    }
}

void judge_entry(const fs::path& folder, const json& entry, SuiteResult& out) {
    if (entry.contains("doubt"))
        return;
    const std::string problem = problem_of(folder, entry);
    ++out.files;
    out.files_passed += problem.empty() ? 1 : 0;
    if (!problem.empty())
        out.failed.push_back(folder.filename().string() + " " + entry.value("query", "") + " " +
                             entry.value("name", "") + ": " + problem);
}

} // namespace

SuiteResult run_queries(const std::string& dir) {
    SuiteResult out;
    out.name = fs::path(dir).filename().string() + "-queries";
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(dir))
        if (fs::exists(entry.path() / "queries.json"))
            folders.push_back(entry.path());
    std::sort(folders.begin(), folders.end());
    for (const fs::path& folder : folders)
        for (const json& entry : json::parse(suite_file((folder / "queries.json").string())))
            judge_entry(folder, entry, out);
    out.cases = out.files;
    out.cases_passed = out.files_passed;
    return out;
}

} // namespace polecat::conformance
