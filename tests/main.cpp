#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "tests/paths.h"

#include <doctest/doctest.h>

namespace polecat::testing {

const char* source_dir() {
    return POLECAT_SOURCE_DIR;
}
const char* bin_dir() {
    return POLECAT_BIN_DIR;
}

} // namespace polecat::testing

#if defined(__SANITIZE_ADDRESS__)
// Graphviz and fontconfig keep what they allocate until the process ends.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
    return "leak:libgvc\nleak:libcgraph\nleak:libfontconfig\nleak:libpango\nleak:libglib\n";
}
#endif
