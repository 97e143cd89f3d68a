/// Which suites are judged, and how what came out is printed.
#pragma once

#include <string>
#include <vector>

namespace polecat::conformance {

struct Asked {
    std::string dir;                 ///< with one folder for each suite
    std::vector<std::string> suites; ///< only these; all where none is named
    bool json = false;
    bool verbose = false; ///< name every case that failed
};

/// What the process returns: 1 where a suite is below its floor, 2 where one that is asked for is
/// not there.
int judge(const Asked& asked);

} // namespace polecat::conformance
