/// Folders of *.policytest.yaml.
#include <filesystem>

#include "driver/test/test_files.h"
#include "tests/conformance/runner/suite.h"

namespace polecat::conformance {

SuiteResult run_policy_tests(const std::string& dir) {
    SuiteResult out;
    out.name = std::filesystem::path(dir).filename().string();
    passes::LowerOptions options;
    options.unknown_address = decision::UnknownAddress::OutsideBlocks;
    for (const std::string& path : driver::find_test_files({dir})) {
        const driver::FileResult file = driver::run_test_file(path, options);
        ++out.files;
        out.files_passed += file.passed() ? 1 : 0;
        std::string first = file.error.substr(0, file.error.find('\n'));
        if (!file.error.empty() && file.results.empty())
            ++out.cases; // at least one that was not asked
        for (const analyzer::CaseResult& each : file.results) {
            ++out.cases;
            out.cases_passed += each.passed ? 1 : 0;
            if (!each.passed && first.empty())
                first = each.question + ": expected " + each.expected + ", found " + each.found;
        }
        if (!file.passed())
            out.failed.push_back(std::filesystem::path(path).lexically_relative(dir).string() +
                                 ": " + first);
    }
    return out;
}

} // namespace polecat::conformance
