#include <algorithm>

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "support/diag/diagnostic.h"
#include "support/diag/fix.h"
#include "support/diag/render.h"

using namespace polecat;

namespace {

struct Sample {
    Sources sources;
    diag::Diagnostics diagnostics;

    Sample() {
        const FileId file = sources.add("web.yaml", "a: 1\nb: 2\r\na: 3\n");
        diagnostics.report(diag::Code::DuplicateKey, {file, 3, 1, 1}, {"a"})
            .with_label({file, 1, 1, 1}, "first here")
            .with_hint("keep one of them");
    }
};

} // namespace

TEST_CASE("text shows place, code, slug, excerpt, labels and hint") {
    const Sample s;
    CHECK(diag::render_text(s.diagnostics.list(), s.sources) ==
          "web.yaml:3:1: error[PC1002]: key `a` stands twice in one mapping [duplicate-key]\n"
          "    3 | a: 3\n"
          "      | ^\n"
          "    1 | a: 1\n"
          "      | ~ first here\n"
          "  hint: keep one of them\n");
}

TEST_CASE("a label without a place is none") {
    Sample s;
    auto& diagnostic = s.diagnostics.report(diag::Code::DuplicateKey, {}, {"b"});
    CHECK(diagnostic.with_label({}, "nowhere").labels.empty());
}

TEST_CASE("of a long line, the part around the mark is shown; columns are characters") {
    Sources sources;
    const FileId file =
        sources.add("x", std::string(200, 'a') + "\u00e9\u00e9 here " + std::string(200, 'b'));
    diag::Diagnostics list;
    list.report(diag::Code::DuplicateKey, {file, 1, 204, 4}, {"here"});
    const std::string text = diag::render_text(list.list(), sources);
    const std::string excerpt = text.substr(text.find('\n') + 1);
    CHECK(excerpt == "    1 | ... " + std::string(27, 'a') + "\u00e9\u00e9 here " +
                         std::string(85, 'b') + " ...\n      |     " + std::string(30, ' ') +
                         "^^^^\n");
}

TEST_CASE("nothing that was read acts on the terminal") {
    Sources sources;
    const FileId file = sources.add("x\033[31m", "a: \033]0;x\007 \u202Eb \u009b");
    diag::Diagnostics list;
    list.report(diag::Code::DuplicateKey, {file, 1, 1, 1}, {"\033[2J\n"})
        .about("\177")
        .with_hint("\r");
    const std::string text = diag::render_text(list.list(), sources);
    for (const char* part : {"\033", "\007", "\177", "\r", "\u202E", "\u009b"})
        CHECK(text.find(part) == std::string::npos);
    CHECK(std::count(text.begin(), text.end(), '\n') == 5);
}

TEST_CASE("JSON is one object a line") {
    const Sample s;
    const auto json = nlohmann::json::parse(diag::render_json(s.diagnostics.list(), s.sources));
    CHECK(json["code"] == "PC1002");
    CHECK(json["place"]["line"] == 3);
    CHECK(json["labels"][0]["place"]["line"] == 1);
    CHECK(json["hint"] == "keep one of them");
}

TEST_CASE("SARIF has the members that version 2.1.0 asks for") {
    const Sample s;
    const auto log = nlohmann::json::parse(diag::render_sarif(s.diagnostics.list(), s.sources));
    CHECK(log["version"] == "2.1.0");
    const auto& run = log["runs"][0];
    CHECK(run["tool"]["driver"]["name"] == "polecat");
    CHECK(run["results"][0]["ruleId"] == "PC1002");
    CHECK(run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 3);
    CHECK(run["results"][0]["relatedLocations"].size() == 1);
}

TEST_CASE("codes are found by label, number and slug") {
    CHECK(diag::find_code("PC1002") == diag::Code::DuplicateKey);
    CHECK(diag::find_code("1002") == diag::Code::DuplicateKey);
    CHECK(diag::find_code("duplicate-key") == diag::Code::DuplicateKey);
    CHECK_FALSE(diag::find_code("PC9999"));
}

TEST_CASE("nearest finds slips and leaves strangers alone") {
    const std::vector<std::string_view> words{"selector", "namespaceSelector", "nets"};
    CHECK(diag::nearest("selecter", words) == "selector");
    CHECK(diag::nearest("NamespaceSelector", words) == "namespaceSelector");
    CHECK_FALSE(diag::nearest("protocol", words));
}

TEST_CASE("sorting puts diagnostics in reading order and drops repeats") {
    Sources sources;
    const FileId file = sources.add("x", "1\n2\n3\n");
    diag::Diagnostics list;
    list.report(diag::Code::DuplicateKey, {file, 3, 1, 1}, {"b"});
    list.report(diag::Code::DuplicateKey, {file, 1, 1, 1}, {"a"});
    list.report(diag::Code::DuplicateKey, {file, 3, 1, 1}, {"b"});
    list.sort();
    REQUIRE(list.list().size() == 2);
    CHECK(list.list()[0].span.line == 1);
}

TEST_CASE("words of additions are in quotes where a reader may take them for something else") {
    for (const char* text : {"shop", "a-b.c", "10.0.0.0/8", "244.0.0.1", "x1"})
        CHECK(diag::content_word(text) == text);
    for (const char* text : {"", "1", "1.5", "1e3", "0x1F", "on", "No", "null", "fd00::/8", "-",
                             "a b", "2001-01-01", "a: b", "~", "true"})
        CHECK(diag::content_word(text) == "\"" + std::string(text) + "\"");
}
