// Reports for other programs: exact small outputs, escaping, and what the formats ask for.
#include <set>

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "support/diag/printable.h"
#include "support/diag/render.h"
#include "support/diag/report.h"
#include "support/junit.h"

using namespace polecat;
using nlohmann::json;

namespace {

std::string_view page(std::string_view label) {
    return label == "PC1002" ? "# PC1002 duplicate-key\n\nFirst. Second\nline.\n\n**Mend.** x\n"
                             : std::string_view{};
}

const diag::ReportOptions kOptions{"1.2.3", "/repo", "https://docs.example/", page};

/// Two files, one with a name that needs escaping; labels, a fix, a witness, and a finding that
/// belongs to no file.
struct ReportSample {
    Sources sources;
    diag::Diagnostics diagnostics;

    ReportSample() {
        const FileId web = sources.add("./a/../a b,c:%.yaml", "a: 1\na: 2\n");
        sources.add("good.yaml", "a: 1\n");
        diagnostics.report(diag::Code::NullLabelValue, {web, 1, 4, 1}, {"50%,\nx:\033"});
        diagnostics.report(diag::Code::DuplicateKey, {web, 2, 1, 1}, {"[a](b)"})
            .about("Pod x/<y>&\"z\"")
            .with_label({web, 1, 1, 1}, "first [here]")
            .with_note("n")
            .with_hint("h")
            .with_witness({"a", "b", "TCP 1"})
            .with_proof("p")
            .with_fix(diag::Fix{{web, 2, 4, 1}, "3", "write three", "2"})
            .with_fix(diag::Fix{{web, 2, 4, 0}, "-", "put a minus", ""});
        diagnostics.report(diag::Code::UnreadableFile, {}, {"nowhere", "no such file"});
    }
    const std::vector<diag::Diagnostic>& list() const { return diagnostics.list(); }
};

const json& run_of(const json& log) {
    return log["runs"][0];
}

json sarif(const ReportSample& s) {
    return json::parse(diag::render_sarif(s.list(), s.sources, kOptions));
}

void check_members(const json& object, const std::set<std::string>& required,
                   const std::set<std::string>& allowed) {
    for (const std::string& each : required)
        CHECK_MESSAGE(object.contains(each), "lacks " << each << ": " << object.dump());
    for (const auto& [key, value] : object.items())
        CHECK_MESSAGE((required.contains(key) || allowed.contains(key)),
                      "has " << key << ": " << object.dump());
}

void check_location(const json& location) {
    check_members(location, {"physicalLocation"}, {"id", "message", "logicalLocations"});
    const json& physical = location["physicalLocation"];
    check_members(physical, {"artifactLocation"}, {"region"});
    check_members(physical["artifactLocation"], {"uri"}, {"uriBaseId"});
    if (physical.contains("region")) {
        const json& region = physical["region"];
        check_members(region, {"startLine", "startColumn", "endLine", "endColumn"}, {});
        for (const auto& [key, value] : region.items())
            CHECK(value.get<int>() >= 1);
    }
}

const std::set<std::string> kLevels{"none", "note", "warning", "error"};

} // namespace

TEST_CASE("SARIF has the members and values that version 2.1.0 allows") {
    const ReportSample s;
    const json log = sarif(s);
    check_members(log, {"version", "runs"}, {"$schema"});
    CHECK(log["version"] == "2.1.0");
    check_members(run_of(log), {"tool", "results", "invocations", "columnKind"},
                  {"originalUriBaseIds"});
    CHECK(run_of(log)["columnKind"] == "unicodeCodePoints");
    const json& driver = run_of(log)["tool"]["driver"];
    check_members(driver, {"name", "rules", "semanticVersion"}, {"informationUri"});
    CHECK(driver["semanticVersion"] == "1.2.3");
    CHECK(driver["rules"].size() == diag::all_codes().size());
    for (const json& rule : driver["rules"]) {
        check_members(rule, {"id", "name", "shortDescription", "fullDescription", "helpUri"},
                      {"defaultConfiguration", "help"});
        CHECK(kLevels.contains(rule["defaultConfiguration"]["level"].get<std::string>()));
        CHECK_FALSE(rule["shortDescription"]["text"].get<std::string>().empty());
        CHECK(rule["helpUri"] == "https://docs.example/" + rule["id"].get<std::string>() + ".md");
    }
    for (const json& result : run_of(log)["results"]) {
        check_members(
            result, {"ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"},
            {"relatedLocations", "fixes", "properties"});
        CHECK(driver["rules"][result["ruleIndex"].get<std::size_t>()]["id"] == result["ruleId"]);
        CHECK(kLevels.contains(result["level"].get<std::string>()));
        check_location(result["locations"][0]);
    }
    check_members(run_of(log)["invocations"][0], {"executionSuccessful"},
                  {"toolExecutionNotifications"});
}

TEST_CASE("SARIF: rules say what their pages say") {
    const json log = sarif(ReportSample());
    for (const json& rule : run_of(log)["tool"]["driver"]["rules"]) {
        if (rule["id"] != "PC1002")
            continue;
        CHECK(rule["name"] == "DuplicateKey");
        CHECK(rule["shortDescription"]["text"] == "First.");
        CHECK(rule["fullDescription"]["text"] == "First. Second line.");
        CHECK(rule["help"]["markdown"] == page("PC1002"));
    }
}

TEST_CASE("SARIF: places, related places, fixes, links") {
    const json log = sarif(ReportSample());
    const json& result = run_of(log)["results"][1];
    const json artifact{{"uri", "a%20b%2Cc%3A%25.yaml"}, {"uriBaseId", "%SRCROOT%"}};
    const json& physical = result["locations"][0]["physicalLocation"];
    CHECK(physical["artifactLocation"] == artifact);
    CHECK(physical["region"] ==
          json{{"startLine", 2}, {"startColumn", 1}, {"endLine", 2}, {"endColumn", 2}});
    CHECK(result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "Pod x/<y>&\"z\"");
    CHECK(result["message"]["text"] ==
          "key `\\[a\\](b)` stands twice in one mapping; [first \\[here\\]](1); in Pod "
          "x/<y>&\"z\"; note: n; witness: a -> b  TCP 1; holds: p; hint: h; fix: write three (lint "
          "--fix)");
    REQUIRE(result["relatedLocations"].size() == 1);
    check_location(result["relatedLocations"][0]);
    CHECK(result["relatedLocations"][0]["id"] == 1);
    REQUIRE(result["fixes"].size() == 2);
    const json& change = result["fixes"][0]["artifactChanges"][0];
    CHECK(change["artifactLocation"] == artifact);
    CHECK(change["replacements"][0] ==
          json{{"deletedRegion",
                {{"startLine", 2}, {"startColumn", 4}, {"endLine", 2}, {"endColumn", 5}}},
               {"insertedContent", {{"text", "3"}}}});
    // An insertion deletes nothing.
    const json& nothing =
        result["fixes"][1]["artifactChanges"][0]["replacements"][0]["deletedRegion"];
    CHECK(nothing["startColumn"] == nothing["endColumn"]);
    CHECK(result["properties"]["witness"]["to"] == "b");
}

TEST_CASE("SARIF: what concerns no file is a notification, and the run failed") {
    const json log = sarif(ReportSample());
    CHECK(run_of(log)["results"].size() == 2);
    const json& invocation = run_of(log)["invocations"][0];
    CHECK(invocation["executionSuccessful"] == false);
    const json& said = invocation["toolExecutionNotifications"][0];
    CHECK(said["message"]["text"] == "cannot read nowhere: no such file");
    CHECK(said["associatedRule"]["id"] == "PC1001");
    const json clean = json::parse(diag::render_sarif({}, Sources{}, kOptions));
    CHECK(run_of(clean)["results"].empty());
    CHECK(run_of(clean)["invocations"][0] == json{{"executionSuccessful", true}});
}

TEST_CASE("paths of reports") {
    CHECK(diag::report_path("./a/../b.yaml", "/repo") == "b.yaml");
    CHECK(diag::report_path("/repo/x/b.yaml", "/repo") == "x/b.yaml");
    CHECK(diag::report_path("/repository/b.yaml", "/repo") == "/repository/b.yaml");
    CHECK(diag::report_path("../b.yaml", "/repo/x") == "/repo/b.yaml");
    CHECK(diag::report_path("..b.yaml", "/repo") == "..b.yaml");
    CHECK(diag::report_path("-", "/repo") == "-");
    CHECK(diag::report_path("./b.yaml", "") == "b.yaml");
    CHECK(diag::to_uri("/tmp/a#b?.yaml") == "file:///tmp/a%23b%3F.yaml");
    CHECK(diag::to_uri("caf\u00e9/a_b-c~.yaml") == "caf%C3%A9/a_b-c~.yaml");
}

TEST_CASE("fingerprints stay when lines move, and differ within a list") {
    const auto of = [](const std::string& text, std::vector<std::uint32_t> lines,
                       const std::string& path, const std::string& root) {
        Sources sources;
        const FileId file = sources.add(path, text);
        diag::Diagnostics list;
        for (const std::uint32_t line : lines)
            list.report(diag::Code::DuplicateKey, {file, line, 1, 1}, {"a"});
        return diag::fingerprints(list.list(), sources, root);
    };
    const auto before = of("a: 1\nb: 2\n", {1, 2}, "x.yaml", "/r");
    CHECK(before == of("# new\n\n  a: 1\nb: 2\n", {3, 4}, "/r/x.yaml", "/r"));
    CHECK(before[0] != before[1]);
    CHECK(before[0].size() == 32);
    CHECK(before != of("a: 1\nb: 2\n", {1, 2}, "y.yaml", "/r"));
    const auto twice = of("a: 1\na: 1\n", {1, 2}, "x.yaml", "/r");
    CHECK(twice[0] != twice[1]);
    CHECK(twice[0] == before[0]);
}

TEST_CASE("GitHub: workflow commands, errors first, escaped") {
    const ReportSample s;
    CHECK(diag::render_github(s.list(), s.sources, kOptions) ==
          "::error file=a b%2Cc%3A%25.yaml,line=2,endLine=2,col=1,endColumn=2,title=PC1002 "
          "duplicate-key::key `[a](b)` stands twice in one mapping%0Afirst [here]: "
          "./a/../a b,c:%25.yaml:1:1%0Ain Pod x/<y>&\"z\"%0Anote: n%0Awitness: a -> b  TCP 1%0A"
          "holds: p%0Ahint: h%0Afix: write three (lint --fix)\n"
          "::error title=PC1001 unreadable-file::cannot read nowhere: no such file\n"
          "::warning file=a b%2Cc%3A%25.yaml,line=1,endLine=1,col=4,endColumn=5,title=PC2003 "
          "null-value::50%25,\uFFFDx:\uFFFD is null, which is read as empty text\n");
    Sources sources;
    const FileId piped = sources.add("-", "a:\n");
    diag::Diagnostics list;
    list.report(diag::Code::UnreadKind, {piped, 1, 1, 1}, {"Job", "x"});
    CHECK(diag::render_github(list.list(), sources, kOptions)
              .starts_with("::notice title=PC1013 unread-kind::-:1:1: Job"));
}

TEST_CASE("GitLab: code quality") {
    const ReportSample s;
    const json report = json::parse(diag::render_gitlab(s.list(), s.sources, kOptions));
    REQUIRE(report.size() == 3);
    const std::set<std::string> severities{"info", "minor", "major", "critical", "blocker"};
    std::set<std::string> prints;
    for (const json& each : report) {
        check_members(each, {"description", "check_name", "fingerprint", "severity", "location"},
                      {});
        CHECK(severities.contains(each["severity"].get<std::string>()));
        CHECK(each["location"]["lines"]["begin"].get<int>() >= 1);
        CHECK(prints.insert(each["fingerprint"].get<std::string>()).second);
    }
    CHECK(report[1]["check_name"] == "PC1002 duplicate-key");
    CHECK(report[1]["severity"] == "critical");
    CHECK(report[1]["location"] == json{{"path", "a b,c:%.yaml"}, {"lines", {{"begin", 2}}}});
    CHECK(report[0]["severity"] == "major");
    CHECK(diag::render_gitlab({}, s.sources, kOptions) == "[]\n");
}

TEST_CASE("JUnit: a case for each file") {
    const ReportSample s;
    const std::string text = diag::render_junit(s.list(), s.sources, kOptions);
    CHECK(text.starts_with(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites name=\"polecat\" tests=\"3\" failures=\"1\" errors=\"1\">\n"
        "  <testsuite name=\"polecat lint\" tests=\"3\" failures=\"1\" errors=\"1\">\n"
        "    <testcase name=\"a b,c:%.yaml\" classname=\"polecat.lint\" file=\"a b,c:%.yaml\">\n"
        "      <failure message=\"1 error, 1 warning\">"));
    CHECK(text.find("in Pod x/&lt;y&gt;&amp;&quot;z&quot;\n") != std::string::npos);
    CHECK(text.find("<testcase name=\"good.yaml\" classname=\"polecat.lint\" "
                    "file=\"good.yaml\"/>\n") != std::string::npos);
    CHECK(text.find("<testcase name=\"input\" classname=\"polecat.lint\">\n      <error ") !=
          std::string::npos);
    CHECK(text.find('\033') == std::string::npos);
}

TEST_CASE("JUnit: notes fail nothing; XML has only characters that it allows") {
    Sources sources;
    const FileId file = sources.add("x.yaml", "a:\n");
    diag::Diagnostics list;
    list.report(diag::Code::UnreadKind, {file, 1, 1, 1}, {"Job", "x"});
    CHECK(diag::render_junit(list.list(), sources).find("<failure") == std::string::npos);
    const junit::Suite suite{"s",
                             {{"a\n\"<&>\x01\xff\xc0\x80\xed\xa0\x80\uFFFF\u00e9", "c", "f",
                               junit::Case::Outcome::Failed, "m", "l1\n]]>\tl2\n"}}};
    CHECK(
        junit::to_xml("n", std::span(&suite, 1))
            .find("<testcase name=\"a\uFFFD&quot;&lt;&amp;&gt;\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD"
                  "\uFFFD\uFFFD\u00e9\" classname=\"c\" file=\"f\">\n      <failure message=\"m\">"
                  "l1\n]]&gt; l2\n</failure>") != std::string::npos);
}

TEST_CASE("characters are whole, and what is none is replaced byte by byte") {
    CHECK(diag::printable("a\u00e9\u20ac\U0001F600") == "a\u00e9\u20ac\U0001F600");
    CHECK(diag::characters("\xe2\x82").size() == 2);
    CHECK(diag::printable("\xf5\xe2\x82\xf0\x80\x80\x80") ==
          "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST_CASE("every format has a name and is rendered") {
    const ReportSample s;
    for (const std::string& name : diag::format_names()) {
        const auto format = diag::find_format(name);
        REQUIRE(format);
        CHECK(diag::render(*format, s.list(), s.sources, {}, kOptions).find("stands twice") !=
              std::string::npos);
    }
    CHECK_FALSE(diag::find_format("yaml"));
}
