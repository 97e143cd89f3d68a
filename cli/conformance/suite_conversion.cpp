#include "cli/conformance/suite.h"
namespace polecat::conformance {
SuiteResult run_conversion(const std::string&) {
    SuiteResult r;
    r.name = "conversion";
    return r;
}
SuiteResult run_defaults(const std::string&) {
    SuiteResult r;
    r.name = "defaults";
    return r;
}
} // namespace polecat::conformance
