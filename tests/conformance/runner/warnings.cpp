#include "tests/conformance/runner/warnings.h"

#include <algorithm>

#include <fmt/format.h>

#include "driver/lint/run.h"
#include "tests/conformance/runner/warning_count.h"

namespace polecat::conformance {

namespace {

using diag::Code;

/// Findings that something selects nothing, or has ports that nothing has.
bool is_about_nothing(const diag::Diagnostic& finding) {
    switch (finding.code) {
    case Code::SelectsNothing:
    case Code::PeerMatchesNothing:
    case Code::SelectorTypo:
        return true;
    default:
        return false;
    }
}

} // namespace

std::string judge_warnings(const std::vector<std::string>& manifests, std::size_t wanted) {
    driver::Input input = driver::read_input(manifests);
    const auto found = selection_warnings(configure("", input.cluster));
    std::string list;
    for (const SelectionWarning& each : found)
        list += "; " + each.text;
    if (found.size() != wanted)
        return fmt::format("{}{}", found.size(), list);
    const bool nothing = std::any_of(found.begin(), found.end(), [](const SelectionWarning& each) {
        return each.kind == SelectionWarning::Kind::Nothing;
    });
    if (!nothing)
        return "";
    driver::LintConfig config;
    config.settings.whole_cluster = true; // as the suites' own answers take it
    driver::check_input(input, config);
    const auto& findings = input.diagnostics.list();
    return std::any_of(findings.begin(), findings.end(), is_about_nothing)
               ? ""
               : "these, of which lint says nothing" + list;
}

} // namespace polecat::conformance
