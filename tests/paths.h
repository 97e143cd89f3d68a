#pragma once
// Where the project and its programs lie. main.cpp alone is compiled with these paths, so that the
// other files of a test compile to the same bytes in every clone, and a compiler cache serves them.

namespace polecat::testing {

const char* source_dir();
const char* bin_dir();

} // namespace polecat::testing
