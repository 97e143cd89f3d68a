/// One conformance suite: a folder below the suites' root, read by one function that says how many
/// of its files and cases hold.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace polecat::conformance {

struct SuiteResult {
    std::string name;
    std::size_t files = 0, files_passed = 0;
    std::size_t cases = 0, cases_passed = 0;
    /// One line for each file (or row, where a suite is one table) that did not pass:
    /// "name: what was expected and what was found".
    std::vector<std::string> failed;
};

/// Each takes the suite's own folder (".../selectors"). A suite that can't be read has one file,
/// none passed, and says why in `failed`.
SuiteResult run_selectors(const std::string& dir);  // suite_selectors.cpp
SuiteResult run_conversion(const std::string& dir); // suite_conversion.cpp
SuiteResult run_validator(const std::string& dir);  // suite_validator.cpp
SuiteResult run_defaults(const std::string& dir);   // suite_defaults.cpp
SuiteResult run_invalid(const std::string& dir);    // suite_invalid.cpp
SuiteResult run_lab(const std::string& dir);        // suite_lab.cpp
SuiteResult run_bird(const std::string& dir);       // suite_bird.cpp
/// A folder of *.policytest.yaml files: each is one file, each of its cases one case.
SuiteResult run_policy_tests(const std::string& dir);
/// Folders with a queries.json: each of its entries is one file.
SuiteResult run_queries(const std::string& dir); // suite_queries.cpp

} // namespace polecat::conformance
