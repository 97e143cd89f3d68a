// Tags of scalars, and documents without a separator between them.
#include <doctest/doctest.h>

#include <algorithm>

#include "frontend/yaml/node.h"

using namespace polecat;

namespace {

struct Tagged {
    Sources sources;
    diag::Diagnostics diagnostics;
    std::vector<yaml::Document> documents;

    explicit Tagged(std::string text) {
        const FileId file = sources.add("t.yaml", std::move(text));
        documents = yaml::read_documents(sources, file, diagnostics);
    }
    const diag::Diagnostic* find(diag::Code code) const {
        for (const diag::Diagnostic& each : diagnostics.list())
            if (each.code == code)
                return &each;
        return nullptr;
    }
    const yaml::Node& value() const { return *documents.at(0).root.find("v"); }
};

std::string fix_of(const std::string& text) {
    const Tagged read(text);
    const diag::Diagnostic* found = read.find(diag::Code::YamlTag);
    return found == nullptr || found->fixes.empty() ? "" : found->fixes.front().replacement;
}

} // namespace

TEST_CASE("a tag that Kubernetes' reader drops is an error, with the quotes that were meant") {
    const Tagged tagged("a: é\nv: !has(app)\nw: 1\n");
    const diag::Diagnostic* found = tagged.find(diag::Code::YamlTag);
    REQUIRE(found != nullptr);
    CHECK(found->span == Span{FileId{0}, 2, 4, 9});
    CHECK(found->message == "`!has(app)` is a YAML tag, so the value is empty");
    CHECK(tagged.documents.empty());
    CHECK(fix_of("v: !has(app)\n") == "\"!has(app)\"");
    CHECK(fix_of("v: ! has(app)\n") == "\"! has(app)\"");
    CHECK(fix_of("v: !app in {'a', 'b'}\n") == "\"!app in {'a', 'b'}\"");
    CHECK(fix_of("v: [! \"x\"]\n") == "'! \"x\"'");
    CHECK(fix_of("- !all()\n") == "\"!all()\"");
    CHECK(fix_of("v: !local text\n  on two lines\n").empty());
    CHECK(Tagged("v: !local text\n  on two lines\n").find(diag::Code::YamlTag) != nullptr);
    CHECK(Tagged("v: \"!has(app)\"\nw: '! x'\nx: a!b\nq: &a !!str b\nz: *a\n")
              .diagnostics.list()
              .empty());
    CHECK(Tagged("v: &a ! b\n").find(diag::Code::YamlTag) != nullptr);
}

TEST_CASE("tags of YAML give the type") {
    CHECK(yaml::as_integer(Tagged("v: !!int \"80\"\n").value()) == 80);
    CHECK(yaml::as_boolean(Tagged("v: !!bool 'true'\n").value()) == true);
    CHECK(yaml::as_number(Tagged("v: !!float 5\n").value()) == 5.0);
    CHECK(yaml::resolve_scalar(Tagged("v: !!str 80\n").value()) == yaml::ScalarType::String);
    CHECK(yaml::resolve_scalar(Tagged("v: !!binary aGk=\n").value()) == yaml::ScalarType::String);
    CHECK(Tagged("v: !!null ''\n").value().is_null());
    CHECK(Tagged("v: !!int abc\n").find(diag::Code::YamlSyntax) != nullptr);
    CHECK(Tagged("v: !!map {a: b}\nw: !!seq [a]\n").diagnostics.list().empty());
}

TEST_CASE("a document that lacks its separator is said once, as that") {
    const Tagged two(
        "apiVersion: v1\nkind: A\nmetadata: {}\napiVersion: v1\nkind: B\nmetadata: {}\n");
    CHECK(two.diagnostics.list().size() == 1);
    const diag::Diagnostic* found = two.find(diag::Code::DuplicateKey);
    REQUIRE(found != nullptr);
    CHECK(found->span.line == 4);
    CHECK(found->hint->find("`---`") != std::string::npos);
    // Other keys that stand twice are that.
    const Tagged keys("apiVersion: v1\nspec: {a: 1, a: 2}\nspec: {}\n");
    CHECK(keys.diagnostics.list().size() == 2);
    for (const diag::Diagnostic& each : keys.diagnostics.list())
        CHECK(each.hint->find("---") == std::string::npos);
}

TEST_CASE("what does not parse: a separator that is none, a value that begins with `!`") {
    for (const char* text : {"a: {b: c}\n--\na: {b: c}\n", "a: {b: c}\n ---\na: {b: c}\n",
                             "a: {b: c}\n----\na: {b: c}\n"}) {
        const Tagged read(text);
        INFO(text);
        REQUIRE(read.diagnostics.has_errors());
        CHECK(read.diagnostics.list().front().hint.value_or("").find("---") != std::string::npos);
    }
    const Tagged both("spec:\n  selector: !has(a) && has(b)\n");
    REQUIRE(both.diagnostics.has_errors());
    CHECK(both.diagnostics.list().front().hint.value_or("").find("quote") != std::string::npos);
}
