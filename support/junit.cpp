#include "support/junit.h"

#include <algorithm>

#include "support/diag/printable.h"

namespace polecat::junit {

namespace {

std::string escaped(std::string_view line) {
    std::string out;
    for (const std::string_view each : diag::characters(line)) {
        if (each == "&")
            out += "&amp;";
        else if (each == "<")
            out += "&lt;";
        else if (each == ">")
            out += "&gt;";
        else if (each == "\"")
            out += "&quot;";
        else
            out += each;
    }
    return out;
}

std::string attribute(std::string_view name, std::string_view value) {
    return " " + std::string(name) + "=\"" + escaped(value) + "\"";
}

/// Text between tags: its line ends stay.
std::string content(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        out += escaped(text.substr(0, end));
        if (end == std::string_view::npos)
            break;
        out += '\n';
        text.remove_prefix(end + 1);
    }
    return out;
}

std::string case_xml(const Case& each) {
    std::string out = "    <testcase" + attribute("name", each.name) +
                      attribute("classname", each.classname) +
                      (each.file.empty() ? "" : attribute("file", each.file));
    if (each.outcome == Case::Outcome::Passed)
        return out + "/>\n";
    const std::string tag = each.outcome == Case::Outcome::Failed ? "failure" : "error";
    return out + ">\n      <" + tag + attribute("message", each.message) + ">" +
           content(each.text) + "</" + tag + ">\n    </testcase>\n";
}

struct Counts {
    std::size_t tests = 0, failures = 0, errors = 0;

    explicit Counts(std::span<const Suite> suites) {
        for (const Suite& suite : suites)
            for (const Case& each : suite.cases) {
                ++tests;
                failures += each.outcome == Case::Outcome::Failed ? 1 : 0;
                errors += each.outcome == Case::Outcome::Error ? 1 : 0;
            }
    }
    std::string attributes() const {
        return attribute("tests", std::to_string(tests)) +
               attribute("failures", std::to_string(failures)) +
               attribute("errors", std::to_string(errors));
    }
};

} // namespace

std::string to_xml(std::string_view name, std::span<const Suite> suites) {
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" +
                      attribute("name", name) + Counts(suites).attributes() + ">\n";
    for (const Suite& suite : suites) {
        out += "  <testsuite" + attribute("name", suite.name) +
               Counts(std::span(&suite, 1)).attributes() + ">\n";
        for (const Case& each : suite.cases)
            out += case_xml(each);
        out += "  </testsuite>\n";
    }
    return out + "</testsuites>\n";
}

} // namespace polecat::junit
