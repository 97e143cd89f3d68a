/// validator: cases.json, each object accepted or refused as Calico's validators do.
#include <nlohmann/json.hpp>

#include "tests/conformance/runner/objects.h"
#include "tests/conformance/runner/suite.h"

namespace polecat::conformance {

SuiteResult run_validator(const std::string& dir) {
    SuiteResult out;
    out.name = "validator";
    const auto cases = nlohmann::json::parse(suite_file(dir + "/cases.json"));
    for (const auto& each : cases) {
        const LoadedText loaded = load_text(each["object"].dump());
        const bool wanted = each["valid"].get<bool>();
        const std::string error = first_error(loaded);
        ++out.cases;
        if (wanted == error.empty()) {
            ++out.cases_passed;
            continue;
        }
        out.failed.push_back(each["kind"].get<std::string>() + " " +
                             each["name"].get<std::string>() + " (" +
                             each["source"].get<std::string>() + "): " +
                             (wanted ? "accepted by Calico, refused here: " + error
                                     : "refused by Calico, accepted here"));
    }
    out.files = out.cases;
    out.files_passed = out.cases_passed;
    return out;
}

} // namespace polecat::conformance
