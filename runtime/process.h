/// Runs a program with a text on its standard input and collects what it prints.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "support/result.h"

namespace polecat::runtime {

struct Output {
    int exit_code = 0;
    std::string out, error;
};

/// What a program that is not ours to trust may do.
struct Confinement {
    std::chrono::seconds limit{30};       ///< then it is killed with all that it started
    std::vector<std::string> environment; ///< "NAME=value", over what is inherited
};

/// No shell is involved. An error means that it could not be run at all, or took too long. A
/// program that is confined has no network where the kernel lets us take it away.
Result<Output> run_program(const std::vector<std::string>& arguments, const std::string& input,
                           const std::optional<Confinement>& confinement = std::nullopt);

/// Whether run_program() would find it.
bool is_installed(const std::string& program);

} // namespace polecat::runtime
