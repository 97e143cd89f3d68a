/// Expectation files found, run and reported: what `polecat test` and the conformance runner share.
#pragma once

#include <string>
#include <vector>

#include "analyzer/expectations/check.h"
#include "driver/input/input.h"
#include "passes/lower.h"

namespace polecat::driver {

struct FileResult {
    std::string path;
    std::string name; ///< metadata.name of the first document
    /// Why nothing could be asked: errors of the file or of its manifests, rendered.
    std::string error;
    std::vector<analyzer::CaseResult> results;
    std::vector<std::string> unread; ///< what of the manifests was not read, a line each
    bool passed() const;
};

/// *.policytest.yaml below the given files and folders, in path order.
std::vector<std::string> find_test_files(const std::vector<std::string>& paths);

/// `input`: how its manifests are read.
FileResult run_test_file(const std::string& path, const passes::LowerOptions& options,
                         const InputOptions& input = {});

} // namespace polecat::driver
