/// Runs a program with a text on its standard input and collects what it prints.
#pragma once

#include <string>
#include <vector>

#include "support/result.h"

namespace polecat::runtime {

struct Output {
    int exit_code = 0;
    std::string out, error;
};

/// No shell is involved. An error means that it could not be run at all.
Result<Output> run_program(const std::vector<std::string>& arguments, const std::string& input);

} // namespace polecat::runtime
