#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/polecat/commands.h"
#include "cli/polecat/program/report_options.h"
#include "driver/input/input.h"
#include "driver/test/test_files.h"
#include "support/diag/report.h"
#include "support/junit.h"

namespace polecat::cli {

using namespace driver;

namespace {

struct TestOptions {
    std::vector<std::string> paths{"."};
    InputOptions input;
    std::string format = "text";
    std::string unknown_address = "depends";
    bool verbose = false;
};

void print_text(const FileResult& file, bool verbose) {
    fmt::print("{} {}\n", file.passed() ? "ok  " : "FAIL",
               file.name.empty() ? file.path : file.name + " (" + file.path + ")");
    if (!file.error.empty())
        fmt::print("{}", file.error);
    for (const std::string& line : file.unread)
        fmt::print("  {}\n", line);
    for (const analyzer::CaseResult& each : file.results) {
        if (each.passed && !verbose)
            continue;
        fmt::print("  {} {}:{} {}\n", each.passed ? "ok  " : "FAIL", file.path, each.span.line,
                   each.question);
        if (each.passed)
            fmt::print("       {}\n", each.found);
        else
            fmt::print("       expected {}\n       found    {}\n", each.expected, each.found);
    }
}

nlohmann::json to_json(const FileResult& file) {
    nlohmann::json out{{"path", file.path}, {"name", file.name}, {"passed", file.passed()}};
    if (!file.error.empty())
        out["error"] = file.error;
    if (!file.unread.empty())
        out["unread"] = file.unread;
    out["cases"] = nlohmann::json::array();
    for (const analyzer::CaseResult& each : file.results)
        out["cases"].push_back({{"question", each.question},
                                {"line", each.span.line},
                                {"expected", each.expected},
                                {"found", each.found},
                                {"passed", each.passed}});
    return out;
}

/// A suite for each file, a case for each expectation.
junit::Suite to_suite(const FileResult& file) {
    const std::string path = diag::report_path(file.path, report_options().root);
    const std::string name = file.name.empty() ? path : file.name;
    junit::Suite out{name, {}};
    if (!file.error.empty())
        out.cases.push_back(
            {path, name, path, junit::Case::Outcome::Error, "nothing could be asked", file.error});
    for (const analyzer::CaseResult& each : file.results) {
        junit::Case made{each.question, name, path, junit::Case::Outcome::Passed, {}, {}};
        if (!each.passed) {
            made.outcome = junit::Case::Outcome::Failed;
            made.message = "expected " + each.expected;
            made.text = fmt::format("{}:{}\nexpected {}\nfound    {}\n", path, each.span.line,
                                    each.expected, each.found);
        }
        out.cases.push_back(std::move(made));
    }
    return out;
}

int run(const TestOptions& options) {
    if (std::find(options.paths.begin(), options.paths.end(), "-") != options.paths.end())
        throw CLI::ValidationError("PATH", "expectations are not read from standard input, since "
                                           "they name their manifests relative to their file");
    const auto paths = find_test_files(options.paths);
    if (paths.empty()) {
        fmt::print(stderr, "polecat: no *.policytest.yaml found; docs/policytest.md shows how to "
                           "write one\n");
        return kBadInput;
    }
    std::size_t failed = 0, broken = 0, cases = 0, cases_failed = 0;
    nlohmann::json files = nlohmann::json::array();
    std::vector<junit::Suite> suites;
    for (const std::string& path : paths) {
        const FileResult file =
            run_test_file(path, lower_options(options.unknown_address), options.input);
        failed += file.passed() ? 0 : 1;
        broken += file.error.empty() ? 0 : 1;
        cases += file.results.size();
        for (const auto& each : file.results)
            cases_failed += each.passed ? 0 : 1;
        if (options.format == "json")
            files.push_back(to_json(file));
        else if (options.format == "junit")
            suites.push_back(to_suite(file));
        else
            print_text(file, options.verbose);
    }
    if (options.format == "json")
        fmt::print("{}\n", nlohmann::json{{"files", files}}.dump(
                               1, ' ', false, nlohmann::json::error_handler_t::replace));
    else if (options.format == "junit")
        fmt::print("{}", junit::to_xml("polecat test", suites));
    else
        fmt::print("{} of {} files passed, {} of {} expectations hold\n", paths.size() - failed,
                   paths.size(), cases - cases_failed, cases);
    return broken != 0 ? kBadInput : failed != 0 ? kFindings : kGood;
}

} // namespace

void add_test(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<TestOptions>();
    CLI::App* command = app.add_subcommand("test", "run files of expectations beside policies");
    command->add_option("PATH", options->paths, "*.policytest.yaml files, or folders with them");
    add_input_options(*command, options->input);
    command->add_option("--format", options->format, "how results are printed")
        ->check(CLI::IsMember({"text", "json", "junit"}));
    add_unknown_address(*command, options->unknown_address);
    command->add_flag("-v,--verbose", options->verbose, "show the expectations that hold as well");
    command->footer("Examples:\n  polecat test tests/\n  polecat test -v shop.policytest.yaml");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
