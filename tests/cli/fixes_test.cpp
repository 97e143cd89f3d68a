// Every code that docs/fixes.md says has a fix, on the cases of fixes-*.yaml:
//
//   #: case TITLE      begins a case
//   #: with shop       beside tests/lint/shop.yaml
//   #: fixes SLUG...   --fix takes "-|" lines out and puts "+|" lines in, and nothing else
//   #: keeps SLUG...   found, and no fix is certain: the file stays as it was
#include <map>
#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "support/diag/diagnostic.h"
#include "tests/cli/folder.h"
#include "tests/paths.h"

using namespace polecat;
using testing::Folder;
using testing::has;
namespace fs = std::filesystem;

namespace {

const fs::path kRoot = testing::source_dir();

struct Case {
    std::string title, before, after;
    bool shop = false;
    std::vector<std::string> fixes, keeps;
};

std::string read(const fs::path& path) {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
}

void add_mark(const std::string& line, Case& into) {
    std::istringstream words(line.substr(2));
    std::string what, word;
    words >> what;
    REQUIRE((what == "with" || what == "fixes" || what == "keeps"));
    while (words >> word)
        if (what == "with")
            into.shop = true;
        else
            (what == "fixes" ? into.fixes : into.keeps).push_back(word);
}

std::vector<Case> read_cases() {
    std::vector<Case> out;
    std::istringstream in(read(kRoot / "tests/cli/fixes-policy.yaml") +
                          read(kRoot / "tests/cli/fixes-network.yaml"));
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("#: case "))
            out.push_back({line.substr(8), {}, {}, false, {}, {}});
        else if (line.starts_with("#:"))
            add_mark(line, out.back());
        else if (line.starts_with("-|"))
            out.back().before += line.substr(2) + "\n";
        else if (line.starts_with("+|"))
            out.back().after += line.substr(2) + "\n";
        else
            for (std::string* text : {&out.back().before, &out.back().after})
                *text += line + "\n";
    }
    return out;
}

/// How many findings of a severity or a worse one there are, by code and object.
struct Findings {
    std::map<std::string, std::string> severity_of; ///< by slug
    std::multiset<std::string> errors, warnings, notes;
};

Findings findings_of(const Folder& folder) {
    Findings out;
    std::istringstream lines(folder.run("lint --format json .").out);
    for (std::string line; std::getline(lines, line);) {
        const auto json = nlohmann::json::parse(line);
        const std::string slug = json["slug"], severity = json["severity"];
        const std::string key = slug + " " + json.value("object", "");
        out.severity_of[slug] = severity;
        (severity == "error"     ? out.errors
         : severity == "warning" ? out.warnings
                                 : out.notes)
            .insert(key);
    }
    return out;
}

std::multiset<std::string> at_least(const Findings& findings, const std::string& severity) {
    std::multiset<std::string> out = findings.errors;
    if (severity != "error")
        out.insert(findings.warnings.begin(), findings.warnings.end());
    if (severity == "note")
        out.insert(findings.notes.begin(), findings.notes.end());
    return out;
}

std::string with_carriage_returns(const std::string& text) {
    std::string out;
    for (const char each : text)
        out += each == '\n' ? "\r\n" : std::string(1, each);
    return out;
}

/// The byte of a line and column in characters.
std::size_t byte_of(const std::string& text, std::size_t line, std::size_t column) {
    std::size_t at = 0;
    for (; line > 1; --line)
        at = text.find('\n', at) + 1;
    for (; column > 1; --column)
        for (++at; at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;)
            ++at;
    return at;
}

/// What reports say: an editor that makes the only edit gets the same text. True when it is one.
bool check_reports(const Folder& folder, const std::string& before, const std::string& after) {
    const auto log = nlohmann::json::parse(folder.run("lint --format sarif .").out);
    std::vector<nlohmann::json> changes;
    for (const auto& result : log["runs"][0]["results"])
        for (const auto& fix : result.value("fixes", nlohmann::json::array())) {
            CHECK(fix["artifactChanges"][0]["artifactLocation"]["uri"] == "a.yaml");
            changes.push_back(fix["artifactChanges"][0]["replacements"][0]);
        }
    CHECK(!changes.empty());
    if (changes.size() != 1)
        return false;
    const auto& region = changes[0]["deletedRegion"];
    CHECK(region["startLine"] == region["endLine"]);
    const std::size_t from = byte_of(before, region["startLine"], region["startColumn"]);
    const std::size_t to = byte_of(before, region["endLine"], region["endColumn"]);
    CHECK(std::string(before).replace(from, to - from, changes[0]["insertedContent"]["text"]) ==
          after);
    return true;
}

std::size_t single_edits = 0;

void check_fixed(const Case& test, const Folder& folder, const std::string& after) {
    const Findings found = findings_of(folder);
    for (const std::string& slug : test.fixes)
        CHECK_MESSAGE(found.severity_of.contains(slug), slug, " is not found");
    CHECK(has(folder.run("lint --fix-dry-run . > fix.diff; echo $?").error, "would be: "));
    const std::string before = folder.read("a.yaml");
    // Of several findings some get their fix once another is made.
    single_edits += test.fixes.size() == 1 && check_reports(folder, before, after) ? 1 : 0;
    CHECK(folder.shell("git apply fix.diff && rm fix.diff").exit_code == 0);
    CHECK(folder.read("a.yaml") == after); // as the patch has it
    folder.write("a.yaml", before);
    const auto run = folder.run("lint --fix .");
    CHECK_MESSAGE(folder.read("a.yaml") == after, run.error);
    const Findings left = findings_of(folder);
    for (const std::string& slug : test.fixes) {
        CHECK_MESSAGE(!left.severity_of.contains(slug), slug, " is still found");
        if (!found.severity_of.contains(slug))
            continue;
        const std::string severity = found.severity_of.at(slug);
        for (const std::string& each : at_least(left, severity))
            CHECK_MESSAGE(at_least(found, severity).contains(each), each, " is new");
    }
}

} // namespace

TEST_CASE("each fix mends its finding, adds none as bad, and changes nothing else") {
    std::set<std::string> fixed;
    for (const Case& test : read_cases())
        for (const bool crlf : {false, true}) {
            INFO(test.title, std::string(crlf ? ", lines end as on Windows" : ""));
            const auto text = [&](const std::string& of) {
                return crlf ? with_carriage_returns(of) : of;
            };
            const Folder folder;
            if (test.shop)
                folder.write("shop.yaml", read(kRoot / "tests/lint/shop.yaml"));
            folder.write("a.yaml", text(test.before));
            if (!test.fixes.empty())
                check_fixed(test, folder, text(test.after));
            fixed.insert(test.fixes.begin(), test.fixes.end());
            for (const std::string& slug : test.keeps)
                CHECK_MESSAGE(findings_of(folder).severity_of.contains(slug), slug);
            folder.run("lint --fix .");
            CHECK(folder.read("a.yaml") == text(test.after));
        }
    CHECK(single_edits > 20);
    // Nothing is promised that is not tried, and the other way round.
    const std::string page_of_fixes = read(kRoot / "docs/fixes.md");
    const std::string table = page_of_fixes.substr(0, page_of_fixes.find("## Not mended"));
    for (const diag::CodeInfo& row : diag::all_codes()) {
        const std::string slug(row.slug), label = diag::label(row.code);
        const bool listed = has(table, "| [" + label + "](diagnostics/" + label + ".md) " + slug);
        CHECK_MESSAGE(listed == fixed.contains(slug), slug);
        const std::string page = read(kRoot / "docs/diagnostics" / (label + ".md"));
        CHECK_MESSAGE(listed == has(page, "\n**Fix.** `polecat lint --fix` "), label);
    }
}
