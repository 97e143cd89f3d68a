// The only file that is compiled anew when the commit changes: it is kept out of unity builds.
#include "cli/polecat/program/version.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <yaml.h>
#include <z3.h>

#include "polecat_revision.h"

/// mimalloc's, where the program is linked with it.
extern "C" int mi_version() __attribute__((weak));

namespace polecat::cli {

namespace {

std::string compiler() {
#if defined(__clang__)
    return fmt::format("clang {}", __clang_version__);
#else
    return fmt::format("g++ {}", __VERSION__);
#endif
}

std::string allocator() {
    if (mi_version == nullptr)
        return "";
    const int version = mi_version();
    return fmt::format(", mimalloc {}.{}.{}", version / 100, version / 10 % 10, version % 10);
}

} // namespace

std::string version_text() {
    const std::string revision = POLECAT_REVISION;
    unsigned major = 0, minor = 0, build = 0, change = 0;
    Z3_get_version(&major, &minor, &build, &change);
    return fmt::format("polecat {}\nbuilt: {}{}, {}\nwith: fmt {}.{}.{}, nlohmann_json {}.{}.{}, "
                       "libyaml {}, Z3 {}.{}.{}{}",
                       POLECAT_VERSION, revision.empty() ? "" : revision + ", ", compiler(),
                       POLECAT_BUILD_TYPE, FMT_VERSION / 10000, FMT_VERSION / 100 % 100,
                       FMT_VERSION % 100, NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                       NLOHMANN_JSON_VERSION_PATCH, yaml_get_version_string(), major, minor, build,
                       allocator());
}

} // namespace polecat::cli
