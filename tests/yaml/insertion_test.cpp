// Additions to texts of every style: what is read afterwards is what was there and the addition,
// and no byte of the text is lost.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

#include "frontend/insertion.h"
#include "frontend/yaml/node.h"
#include "support/diag/fix.h"
#include "tests/paths.h"
#include "tests/random_cluster.h"

using namespace polecat;
namespace fs = std::filesystem;

namespace {

constexpr const char* kAdded = "zz-added";

const char* const kTexts[] = {
    "# c\na: 1\nb:\n  c: d   # e\n  # after\nf:\n- g\n- h: i\n  j: k\n#end",
    "a: 1\r\nb:\r\n    c:\r\n    -   d: e\r\n\r\n    # f\r\n    -   g\r\n",
    "\xef\xbb\xbf"
    "a: {b: c, \"d\": [e, f]}\n",
    "--- # first\na: b\n...\n--- {c: d}\n---\n- e: {}\n- []\n- - f\n  - g: h\n",
    "%YAML 1.1\n---\na: b\n",
    "a: |\n  text\n  more\nb: >-\n  text\n\nc: 'x\n  y'\nd: plain\n  goes on\ne: \"q\\\n  r\"\n",
    "a: &anchor\n  b: c\nd: !!str e\nf: !!map\n  g: h\ni: &list\n- j\n",
    "? a\n: b\n? {c: d}\n: e\nf :   g\n\"h\"  : i\n",
    "a:\nb: ~\nc:   # nothing\nd: null\ne: ''\nf: {g: , h, i: }\n",
    "{\n\t\"a\": 1,\n\t\"b\": [\n\t\t{\"c\": \"d\"},\n\t\t{}\n\t],\n\t\"e\": {\n\t\t\"f\": "
    "null\n\t}\n}\n",
    "{a: [b, # c\n  d, ], e: {f: g # h\n  }, i: [\n  j # k\n  ],\n  l: m,\n  n: o # p\n}",
    "\xc3\xa4: \xe2\x82\xac   # \xc3\xb6\nb: {\xc3\xa4: \xc3\xb6, c: d}\ne: - f\n",
    "- a: b\n  c: {d: e}\n-   f: g\n    h:\n    - i\n-\n  j: k\n",
    "a:\n- b:\n  - c: d\n    e:\n    - f\n  g: h\n- i # j\nk: l",
    "a: http://b#c # d\ne: 'it''s # no comment'\nf: \"} # no\" # g\n",
};

/// A tree as text, without places; `kAdded` left out where `skip`.
std::string text_of(const yaml::Node& node, bool skip, std::size_t& added) {
    std::string out;
    if (node.is_mapping()) {
        for (const yaml::Member& each : node.members) {
            added += each.key == kAdded ? 1 : 0;
            if (each.key != kAdded || !skip)
                out += "<" + each.key + ">=" + text_of(each.value, skip, added) + ",";
        }
        return "{" + out + "}";
    }
    for (const yaml::Node& each : node.items) {
        added += each.text == kAdded ? 1 : 0;
        if (each.text != kAdded || !skip)
            out += text_of(each, skip, added) + ",";
    }
    if (node.is_sequence())
        return "[" + out + "]";
    return (node.quoted ? "'" : "") + node.text;
}

struct Reading {
    std::string text;
    std::vector<yaml::Document> documents;
    std::size_t added = 0;
};

Reading read(const std::string& text, bool skip) {
    Reading out;
    Sources sources;
    diag::Diagnostics diagnostics;
    out.documents = yaml::read_documents(sources, sources.add("a.yaml", text), diagnostics);
    for (const yaml::Document& each : out.documents)
        out.text += text_of(each.root, skip, out.added) + "\n";
    for (const diag::Diagnostic& each : diagnostics.list())
        out.text += each.message;
    return out;
}

void each_mapping(const yaml::Node& node, std::vector<Span>& out) {
    if (node.is_mapping() && !node.members.empty())
        out.push_back(node.members.front().key_span);
    for (const yaml::Member& each : node.members)
        each_mapping(each.value, out);
    for (const yaml::Node& each : node.items)
        each_mapping(each, out);
}

/// An item first and last in every list below a key; how many were made.
std::size_t add_items(const std::string& text, const yaml::Node& node, const Reading& before,
                      const frontend::Insertion& insertion) {
    std::size_t made = 0;
    for (const yaml::Member& each : node.members) {
        made += add_items(text, each.value, before, insertion);
        if (!each.value.is_sequence() || each.key.find('.') != std::string::npos)
            continue;
        for (const std::optional<std::size_t> index : {std::optional<std::size_t>(0), {}}) {
            diag::Fix fix = diag::add_to_mapping(each.key_span, each.key,
                                                 std::string("[") + kAdded + "]", "add");
            fix.addition->index = index;
            const auto edit = insertion.place(fix);
            if (!edit)
                continue;
            ++made;
            const std::string after = std::string(text).insert(edit->begin, edit->text);
            INFO(after);
            const Reading read_again = read(after, true);
            CHECK(read_again.text == before.text);
            CHECK(read_again.added == 1);
        }
    }
    for (const yaml::Node& each : node.items)
        made += add_items(text, each, before, insertion);
    return made;
}

/// Additions to every mapping, by themselves; how many were made.
std::size_t add_everywhere(const std::string& text) {
    const Reading before = read(text, true);
    std::vector<Span> places;
    for (const yaml::Document& each : before.documents)
        each_mapping(each.root, places);
    const frontend::Insertion insertion(text);
    std::size_t made = 0;
    for (const Span& place : places)
        for (const char* content : {"{a: [b, {c: d}], e: {f: \"g h\"}}", "[a, {b: 1, c: []}]"}) {
            const auto edit = insertion.place(diag::add_to_mapping(place, kAdded, content, "add"));
            if (!edit)
                continue;
            ++made;
            std::string after = text;
            after.replace(edit->begin, edit->end - edit->begin, edit->text);
            INFO(after);
            CHECK(edit->begin == edit->end);
            const Reading read_again = read(after, true);
            CHECK(read_again.text == before.text);
            CHECK(read_again.added == 1);
            std::size_t unused = 0;
            std::string whole;
            for (const yaml::Document& each : read_again.documents)
                whole += text_of(each.root, false, unused);
            const std::string wanted =
                content[0] == '{' ? "{<a>=[b,{<c>=d,},],<e>={<f>='g h,},}" : "[a,{<b>=1,<c>=[],},]";
            // JSON has quotes around every word.
            std::erase(whole, '\'');
            std::string plain = wanted;
            std::erase(plain, '\'');
            CHECK(whole.find(std::string("<") + kAdded + ">=" + plain) != whole.npos);
        }
    for (const yaml::Document& each : before.documents)
        add_items(text, each.root, before, insertion);
    return made;
}

} // namespace

TEST_CASE("additions to texts of every style") {
    std::size_t made = 0;
    for (const char* text : kTexts)
        made += add_everywhere(text);
    CHECK(made == 64); // all of them
}

TEST_CASE("additions to texts with accidents") {
    const char* wanted = std::getenv("POLECAT_SEEDS");
    const std::size_t rounds = wanted == nullptr ? 300 : std::strtoul(wanted, nullptr, 10);
    const std::string pieces[] = {" ",  "\n", "#",        ":",     "- ",    "{",  "}",    "[",
                                  "]",  ",",  "'",        "\"",    "  ",    "\t", "\r\n", "|",
                                  "? ", "a",  "\xc3\xa4", "---\n", "# x\n", "&x "};
    testing::Random random(20261126);
    std::size_t made = 0, read_well = 0;
    for (std::size_t round = 0; round < rounds; ++round)
        for (const char* each : kTexts) {
            std::string text = each;
            for (std::size_t i = 0, count = 1 + random.below(3); i < count; ++i) {
                const std::size_t at = random.below(text.size());
                text.erase(at, random.below(3));
                text.insert(std::min(at, text.size()),
                            random.chance(70) ? pieces[random.below(std::size(pieces))] : "");
            }
            Sources sources;
            diag::Diagnostics diagnostics;
            yaml::read_documents(sources, sources.add("a.yaml", text), diagnostics);
            if (diagnostics.has_errors())
                continue;
            ++read_well;
            made += add_everywhere(text);
        }
    MESSAGE(made, " additions to ", read_well, " texts that can be read");
    CHECK(made > rounds * 5);
}

TEST_CASE("places among what is there") {
    struct Case {
        const char *text, *path, *content, *after;
        std::optional<std::size_t> index;
        const char* result;
    };
    const Case cases[] = {
        {"a: b\nc: d # e\nf: g\n", "", "{x: y}", "c", {}, "a: b\nc: d # e\nx: y\nf: g\n"},
        {"{a: b, c: d}", "", "{x: y}", "a", {}, "{a: b, x: y, c: d}"},
        {"a: b", "", "{x: y}", "absent", {}, "a: b\nx: y"},
        {"a: # none\n# b\n- c\n- d\n", "a", "[x]", "", 0, "a: # none\n- x\n# b\n- c\n- d\n"},
        {"a:\n  - c\n  # d\n  - d\n", "a", "[x]", "", 1, "a:\n  - c\n  - x\n  # d\n  - d\n"},
        {"a: [c, d]", "a", "[x]", "", 0, "a: [x, c, d]"},
        {"a: [c, d]", "a", "[x]", "", 9, "a: [c, d, x]"},
        {"a: []", "a", "[x, y]", "", 0, "a: [x, y]"},
        {"a:\n- b: []\n  c: d\n", "b", "[{x: y}]", "", {}, "a:\n- b:\n  - x: y\n  c: d\n"},
        {"a: [ ] # e\n", "a", "[{x: y}]", "", {}, "a: [{x: y} ] # e\n"},
        {"{a: []}\n", "a", "[{x: y}]", "", {}, "{a: [{x: y}]}\n"},
        {"a:\n  b:\nc: d\n", "a.b.e", "[x]", "", {}, "a:\n  b:\n    e:\n      - x\nc: d\n"},
        {"{\"a\": {}}",
         "a.b",
         "{x: 1, y: \"2\", z: t}",
         "",
         {},
         "{\"a\": {\"b\": {\"x\": 1, \"y\": \"2\", \"z\": \"t\"}}}"},
        // No place, or one that can't be extended by itself.
        {"a: b\n", "", "{a: c}", "", {}, nullptr},
        {"a: b\n", "a", "{x: y}", "", {}, nullptr},
        {"a: ~\n", "a", "[x]", "", {}, nullptr},
        {"{a: }", "a", "[x]", "", {}, nullptr},
        {"a: [b]\n", "a", "{x: y}", "", {}, nullptr},
        {"a: b\nc: |\n  d\n", "", "{x: y}", "", {}, nullptr},
        {"a: &b {c: d}\ne: *b\n", "", "{x: y}", "", {}, nullptr},
        {"a: {<<: &b {c: d}}\ne: {<<: *b}\n", "", "{x: y}", "", {}, nullptr},
        {"a: &b\n- c\n", "a", "[x]", "", 0, nullptr},
    };
    for (const Case& each : cases) {
        const std::string text = each.text;
        INFO(text);
        const auto line = text.starts_with("a:\n- b: []") ? 2u : 1u;
        diag::Fix fix = diag::add_to_mapping({FileId{0}, line, line * 2 - 1, 1}, each.path,
                                             each.content, "add");
        fix.addition->after = each.after;
        fix.addition->index = each.index;
        const auto edit = frontend::Insertion(text).place(fix);
        REQUIRE(edit.ok() == (each.result != nullptr));
        if (edit)
            CHECK(std::string(text).replace(edit->begin, edit->end - edit->begin, edit->text) ==
                  each.result);
    }
}

TEST_CASE("additions to the manifests of the tests and examples") {
    std::size_t made = 0;
    for (const char* folder : {"examples", "tests"})
        for (const auto& entry :
             fs::recursive_directory_iterator(fs::path(testing::source_dir()) / folder)) {
            if (entry.path().extension() != ".yaml" || entry.file_size() > 8000)
                continue;
            std::ostringstream text;
            text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
            INFO(entry.path().string());
            made += add_everywhere(text.str());
        }
    CHECK(made > 500);
}
