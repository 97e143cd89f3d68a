#include <doctest/doctest.h>

#include "frontend/yaml/earlier.h"

using namespace polecat;

namespace {

/// Everything that a tree says, places included.
std::string all_of(const yaml::Node& node) {
    const auto place = [](const Span& span) {
        return "@" + std::to_string(span.file.value) + ":" + std::to_string(span.line) + ":" +
               std::to_string(span.column) + "+" + std::to_string(span.length);
    };
    std::string out = std::to_string(static_cast<int>(node.kind)) + (node.quoted ? "q" : "") +
                      place(node.span) + "'" + node.text + "'";
    for (const yaml::Node& each : node.items)
        out += "[" + all_of(each) + "]";
    for (const yaml::Member& each : node.members)
        out += "{" + each.key + place(each.key_span) + ": " + all_of(each.value) + "}";
    return out;
}

std::string all_of(const std::vector<yaml::Document>& documents,
                   const diag::Diagnostics& diagnostics, const Sources& sources) {
    std::string out;
    for (const yaml::Document& each : documents)
        out += std::to_string(each.file.value) + all_of(each.root) + "\n";
    for (const diag::Diagnostic& each : diagnostics.list())
        out += sources.describe(each.span) + "\n";
    return out;
}

constexpr const char* kBase = "# head\n"
                              "---\n"
                              "a: 1\n"
                              "b: &x [y, \"z\"]\n"
                              "c: *x\n"
                              "---\n"
                              "text: |\n"
                              "  --- no separator\n"
                              "  more\n"
                              "\n"
                              "--- # the same twice\n"
                              "k: {v: }\n"
                              "--- # the same twice\n"
                              "k: {v: }\n"
                              "---\n"
                              "---\n"
                              "last: é\n";

/// The second text, read after the first, beside what it is by itself.
void check_reading(const std::string& before, const std::string& now) {
    CAPTURE(before);
    CAPTURE(now);
    Sources sources;
    yaml::EarlierDocuments earlier;
    diag::Diagnostics first, second, expected;
    const FileId base = sources.add("base.yaml", before), head = sources.add("head.yaml", now);
    auto read = earlier.read(sources, base, first);
    if (first.list().empty())
        earlier.keep(sources.text(base), std::move(read));
    const auto documents = earlier.read(sources, head, second);
    CHECK(all_of(documents, second, sources) ==
          all_of(yaml::read_documents(sources, head, expected), expected, sources));
}

} // namespace

TEST_CASE("what a second version repeats is as if it were read again") {
    const std::string base = kBase;
    check_reading(base, base);
    check_reading(base, "---\nnew: 1\n" + base + "---\nnew: 2\n");
    check_reading(base, base + base);
    for (const char* changed : {"a: 1", "more", "twice", "k: {v: }", "last: é\n", "---\n"}) {
        for (const char* into : {"", "other", "x: 2\n---\ny: 3", "a: {", "{{ x }}", "k: 1\nk: 2"}) {
            std::string now = base;
            now.replace(now.find(changed), std::string(changed).size(), into);
            check_reading(base, now);
            check_reading(now, base);
        }
    }
}

TEST_CASE("texts in which separators are not all read as ever") {
    const std::string base = kBase;
    for (const std::string& other : std::initializer_list<std::string>{
             "%YAML 1.1\n" + base, base + "...\nz: 1\n", "a: 1\r---\r\nb: 2\r\n",
             "\xef\xbb\xbf" + base, "a: \"1\xe2\x80\xa8---\"\n", base + "---\t\nz: 1\n"}) {
        check_reading(base, other);
        check_reading(other, base);
        check_reading(other, other);
    }
    check_reading("{\"a\": 1}\n{\"b\": 2}\n", "{\"a\": 1}\n{\"b\": 2}\n");
    check_reading("{\"a\": 1}\n---\n{\"b\": 2}\n", "{\"a\": 1}\n---\n{\"b\": 3}\n");
    check_reading("", "");
    check_reading("a: 1", "a: 1\n---\na: 1");
}

TEST_CASE("documents that were left out are read") {
    const std::string text = "a: 1\n---\nb: 2\n---\nc: 3\n";
    for (const std::size_t left_out : {0u, 1u, 2u}) {
        Sources sources;
        diag::Diagnostics diagnostics;
        yaml::EarlierDocuments earlier;
        const FileId file = sources.add("a.yaml", text);
        auto documents = yaml::read_documents(sources, file, diagnostics);
        const std::string whole = all_of(documents, diagnostics, sources);
        documents.erase(documents.begin() + static_cast<std::ptrdiff_t>(left_out));
        earlier.keep(sources.text(file), std::move(documents));
        CHECK(all_of(earlier.read(sources, file, diagnostics), diagnostics, sources) == whole);
    }
}
