/// How much of what takes long is done: a little in `make check`, all of it in `make check-long`.
#pragma once

#include <cstdlib>
#include <string>

namespace polecat::testing {

/// The number that the environment gives, or what there is time for in every build.
inline std::size_t count_of(const char* variable, std::size_t otherwise) {
    const char* given = std::getenv(variable);
    return given != nullptr ? std::stoull(given) : otherwise;
}

} // namespace polecat::testing

namespace polecat::kernel_test {
using testing::count_of;
} // namespace polecat::kernel_test
