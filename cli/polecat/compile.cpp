#include <fmt/format.h>

#include "cli/common/input.h"
#include "cli/polecat/commands.h"
#include "ir/policy/print.h"

namespace polecat::cli {

void add_compile(CLI::App& app, int& exit_code) {
    (void)app;
    (void)exit_code;
}

} // namespace polecat::cli
