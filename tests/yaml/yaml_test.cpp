#include <doctest/doctest.h>

#include "frontend/yaml/node.h"

using namespace polecat;

namespace {

struct Read {
    Sources sources;
    diag::Diagnostics diagnostics;
    std::vector<yaml::Document> documents;

    explicit Read(std::string text, const yaml::Limits& limits = {}) {
        const FileId file = sources.add("t.yaml", std::move(text));
        documents = yaml::read_documents(sources, file, diagnostics, limits);
    }
    bool found(diag::Code code) const {
        for (const diag::Diagnostic& each : diagnostics.list())
            if (each.code == code)
                return true;
        return false;
    }
};

yaml::ScalarType type_of(const std::string& text) {
    const Read read("v: " + text + "\n");
    const yaml::Node* value = read.documents.at(0).root.find("v");
    return value->is_null() ? yaml::ScalarType::Null : yaml::resolve_scalar(*value);
}

} // namespace

TEST_CASE("keys and values carry their places") {
    const Read read("a:\n  b: [1, two]\n---\nc: \"x\"\n");
    REQUIRE(read.documents.size() == 2);
    const yaml::Member& a = read.documents[0].root.members.at(0);
    CHECK(a.key == "a");
    CHECK(a.key_span.line == 1);
    const yaml::Node& two = a.value.find("b")->items.at(1);
    CHECK(two.span.line == 2);
    CHECK(two.span.column == 10);
    CHECK(two.span.length == 3);
    CHECK(read.documents[1].root.find("c")->span.line == 4);
}

TEST_CASE("scalars are what Kubernetes' reader sees") {
    using T = yaml::ScalarType;
    for (const char* text : {"y", "N", "yes", "No", "on", "OFF", "true", "False"})
        CHECK_MESSAGE(type_of(text) == T::Boolean, text);
    for (const char* text : {"\"y\"", "'no'", "!!str true", "yEs", "20:21", "1.2.3", "0x", "1_000x",
                             "0.0.0.0/0", "09:30"})
        CHECK_MESSAGE(type_of(text) == T::String, text);
    for (const char* text : {"0", "-7", "+7", "0x1F", "0b11", "0o17", "1_000", "017"})
        CHECK_MESSAGE(type_of(text) == T::Integer, text);
    for (const char* text : {"1.5", "1e3", ".5", "-.inf", "99999999999999999999"})
        CHECK_MESSAGE(type_of(text) == T::Float, text);
    for (const char* text : {"", "~", "null"})
        CHECK_MESSAGE(type_of(text) == T::Null, text);
    const Read read("v: [0x1F, 017, 0o17, 0b11, -1_000]\n");
    const auto& items = read.documents[0].root.find("v")->items;
    const std::int64_t expected[] = {31, 15, 15, 3, -1000};
    for (std::size_t i = 0; i < items.size(); ++i)
        CHECK(yaml::as_integer(items[i]) == expected[i]);
}

TEST_CASE("a key that stands twice is refused with both places") {
    const Read read("a: {x: 1,\n    x: 2}\n");
    CHECK(read.documents.empty());
    REQUIRE(read.found(diag::Code::DuplicateKey));
    const diag::Diagnostic& d = read.diagnostics.list().at(0);
    CHECK(d.span.line == 2);
    CHECK(d.labels.at(0).span.line == 1);
}

TEST_CASE("a broken document does not hide the others") {
    const Read read("a: 1\n---\nb: [\n---\nc: {d: 1, d: 2}\n---\ne: 3\n");
    CHECK(read.documents.size() == 2);
    CHECK(read.found(diag::Code::YamlSyntax));
    REQUIRE(read.found(diag::Code::DuplicateKey));
    for (const diag::Diagnostic& d : read.diagnostics.list())
        if (d.code == diag::Code::DuplicateKey)
            CHECK(d.span.line == 5);
}

TEST_CASE("anchors, aliases and merge keys") {
    const Read read("base: &b {x: 1, z: 2}\nother:\n  <<: *b\n  z: 3\n");
    REQUIRE(read.documents.size() == 1);
    const yaml::Node* other = read.documents[0].root.find("other");
    CHECK(other->find("x")->text == "1");
    CHECK(other->find("z")->text == "3");
    CHECK(Read("a: *nothing\n").found(diag::Code::YamlSyntax));
    CHECK(Read("base: &b {x: 1}\nother:\n  x: 2\n  <<: *b\n").found(diag::Code::DuplicateKey));
}

TEST_CASE("aliases repeated without end are refused before they cost anything") {
    std::string wide = "a: &a [" + std::string(20'000, '0') + "]\nb:\n";
    for (int i = 0; i < 50'000; ++i)
        wide += "- *a\n";
    CHECK(Read(wide).found(diag::Code::YamlLimit));
}

TEST_CASE("hostile input is refused, not expanded") {
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        const std::string last = std::to_string(i - 1), here = std::to_string(i);
        bomb += "a" + here + ": &a" + here + " [";
        for (int k = 0; k < 10; ++k)
            bomb += (k > 0 ? ", *a" : "*a") + last;
        bomb += "]\n";
    }
    yaml::Limits small;
    small.max_nodes = 100'000;
    CHECK(Read(bomb, small).found(diag::Code::YamlLimit));
    CHECK(Read(std::string(100'000, '['), {}).diagnostics.has_errors());
    CHECK(Read(std::string(300, '[') + std::string(300, ']')).found(diag::Code::YamlLimit));
    CHECK(Read("a: \xff\n").found(diag::Code::NotUtf8));
    CHECK(Read("a: \xff\n").diagnostics.list()[0].hint.value_or("").empty());
    const Read wide(std::string("\xff\xfe"
                                "a\0:\0\n\0",
                                8));
    CHECK(wide.diagnostics.list()[0].hint.value_or("").find("UTF-16") != std::string::npos);
    CHECK(Read(std::string("a: b\0c\n", 7)).diagnostics.has_errors());
    small.max_bytes = 4;
    CHECK(Read("a: 12345\n", small).found(diag::Code::YamlLimit));
}

TEST_CASE("templates are told from broken YAML") {
    CHECK(Read("name: {{ .Values.name }}\n").found(diag::Code::UnrenderedTemplate));
    CHECK(Read("{{- if .x }}\na: 1\n{{- end }}\n").found(diag::Code::UnrenderedTemplate));
    CHECK_FALSE(Read("name: \"{{ fine }}\"\n").diagnostics.has_errors());
}

TEST_CASE("keys that are not text are what Kubernetes makes of them, or are refused") {
    const Read on("on: 1\n");
    CHECK(on.found(diag::Code::YamlKey));
    CHECK_FALSE(on.diagnostics.has_errors());
    CHECK(on.documents.at(0).root.find("true") != nullptr);
    const Read number("0x1F: 1\n8080: 1\n");
    CHECK(number.diagnostics.list().empty());
    CHECK(number.documents.at(0).root.find("31") != nullptr);
    CHECK(number.documents.at(0).root.find("8080") != nullptr);
    CHECK(Read("31: 1\n0x1F: 2\n").found(diag::Code::DuplicateKey));
    for (const char* text : {"1.5: 1\n", "~: 1\n", "[a]: 1\n"})
        CHECK(Read(text).diagnostics.has_errors());
    CHECK_FALSE(Read("\"on\": 1\n").diagnostics.has_errors());
}

TEST_CASE("JSON, CRLF, a byte order mark and empty documents") {
    CHECK(Read("{\"a\": {\"b\": [1, 2]}}").documents.size() == 1);
    CHECK(Read("{\n\t\"a\": 1\n}\n").documents.size() == 1);
    CHECK(Read("a: 1\r\n---\r\nb: 2\r\n").documents.size() == 2);
    CHECK(Read("\xef\xbb\xbf"
               "a: 1\n")
              .documents.at(0)
              .root.find("a") != nullptr);
    CHECK(Read("---\n---\na: 1\n---\n# nothing\n").documents.size() == 1);
    CHECK(Read("").documents.empty());
}
