#include "tests/conformance/runner/judge.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tests/conformance/runner/suite.h"

namespace polecat::conformance {

namespace fs = std::filesystem;

namespace {

using Run = SuiteResult (*)(const std::string&);

const std::map<std::string, Run>& special_suites() {
    static const std::map<std::string, Run> kRuns{{"selectors", run_selectors},
                                                  {"conversion", run_conversion},
                                                  {"validator", run_validator},
                                                  {"defaults", run_defaults},
                                                  {"invalid", run_invalid},
                                                  {"lab", run_lab},
                                                  {"bird", run_bird}};
    return kRuns;
}

/// What else a folder holds, under a name of its own.
const std::map<std::string, Run>& second_suites() {
    static const std::map<std::string, Run> kRuns{{"nca", run_queries}};
    return kRuns;
}

/// Per cent of the files that must pass.
double floor_of(const std::string& suite) {
    static const std::vector<std::string> kNearly{"npguard",     "npguard-diff", "nca",
                                                  "nca-queries", "validator",    "conversion",
                                                  "defaults",    "invalid"};
    return std::find(kNearly.begin(), kNearly.end(), suite) == kNearly.end() ? 100.0 : 95.0;
}

/// Suites beside `bird` that nothing judges yet.
bool is_to_come(const std::string& suite) {
    return suite == "ipam";
}

double percent(const SuiteResult& result) {
    return result.files == 0 ? 0.0
                             : 100.0 * static_cast<double>(result.files_passed) /
                                   static_cast<double>(result.files);
}

SuiteResult guarded(Run run, const fs::path& dir) {
    try {
        return run(dir.string());
    } catch (const std::exception& failure) {
        SuiteResult out;
        out.name = dir.filename().string();
        out.files = out.cases = 1;
        out.failed.push_back(out.name + ": " + failure.what());
        return out;
    }
}

/// Adds what a folder holds: one suite or two.
void run(const fs::path& dir, std::vector<SuiteResult>& results) {
    const std::string name = dir.filename().string();
    const auto found = special_suites().find(name);
    results.push_back(
        guarded(found == special_suites().end() ? run_policy_tests : found->second, dir));
    const auto second = second_suites().find(name);
    if (second == second_suites().end())
        return;
    if (SuiteResult more = guarded(second->second, dir); more.files > 0)
        results.push_back(std::move(more));
}

void print_table(const std::vector<SuiteResult>& results, bool verbose) {
    fmt::print("{:<14} {:>13} {:>8} {:>17}\n", "suite", "files passed", "", "cases passed");
    for (const SuiteResult& each : results)
        fmt::print("{:<14} {:>13} {:>7.1f}% {:>17}{}\n", each.name,
                   fmt::format("{}/{}", each.files_passed, each.files), percent(each),
                   fmt::format("{}/{}", each.cases_passed, each.cases),
                   percent(each) < floor_of(each.name)
                       ? fmt::format("  below its floor of {:.0f}%", floor_of(each.name))
                       : "");
    for (const SuiteResult& each : results) {
        const std::size_t shown =
            verbose ? each.failed.size() : std::min<std::size_t>(each.failed.size(), 30);
        for (std::size_t i = 0; i < shown; ++i)
            fmt::print("  {}: {}\n", each.name, each.failed[i]);
        if (shown < each.failed.size())
            fmt::print("  {}: and {} more; -v shows all\n", each.name, each.failed.size() - shown);
    }
}

void print_json(const std::vector<SuiteResult>& results) {
    nlohmann::json out;
    out["suites"] = nlohmann::json::array();
    for (const SuiteResult& each : results)
        out["suites"].push_back({{"name", each.name},
                                 {"files", each.files},
                                 {"files_passed", each.files_passed},
                                 {"cases", each.cases},
                                 {"cases_passed", each.cases_passed},
                                 {"failed", each.failed}});
    fmt::print("{}\n", out.dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
}

} // namespace

int judge(const Asked& asked) {
    std::error_code error;
    std::vector<fs::path> suites;
    for (const auto& entry : fs::directory_iterator(asked.dir, error))
        if (entry.is_directory() && !is_to_come(entry.path().filename().string()) &&
            (asked.suites.empty() ||
             std::find(asked.suites.begin(), asked.suites.end(),
                       entry.path().filename().string()) != asked.suites.end()))
            suites.push_back(entry.path());
    if (suites.empty() || suites.size() < asked.suites.size()) {
        fmt::print(stderr, "polecat-conformance: not every suite named is in {}\n", asked.dir);
        return 2;
    }
    std::sort(suites.begin(), suites.end());
    std::vector<SuiteResult> results;
    for (const fs::path& suite : suites)
        run(suite, results);
    const bool good = std::all_of(results.begin(), results.end(), [](const SuiteResult& each) {
        return percent(each) >= floor_of(each.name);
    });
    if (asked.json)
        print_json(results);
    else
        print_table(results, asked.verbose);
    return good ? 0 : 1;
}

} // namespace polecat::conformance
