// Suppressions in comments and annotations: what they take out, and what is said of those that
// don't count.
#include "analyzer/lint/suppression.h"

#include <doctest/doctest.h>

#include "analyzer/lint/choice.h"
#include "frontend/suppressions.h"
#include "frontend/yaml/layout.h"

using namespace polecat;
using diag::Code;

namespace {

struct Outcome {
    std::size_t taken = 0;
    diag::Diagnostics list;
    std::size_t count(Code code) const {
        std::size_t out = 0;
        for (const diag::Diagnostic& each : list.list())
            out += each.code == code ? 1 : 0;
        return out;
    }
};

/// `text` with a finding of the code at (line, 3).
Outcome with_finding(const std::string& text, std::uint32_t line, Code code = Code::ShadowedRule,
                     bool loads = true) {
    Sources sources;
    const FileId file = sources.add("case.yaml", text);
    Outcome out;
    out.list.report(code, {file, line, 3, 1}, {"a", "b", "c", "d"});
    out.taken = lint::suppress(frontend::read_suppressions(sources), loads, out.list);
    return out;
}

} // namespace

TEST_CASE("a comment suppresses on its line and, alone, on the next that is no comment") {
    CHECK(with_finding("a:\n  b: 1 # polecat:ignore rule-shadowed old clients\n", 2).taken == 1);
    CHECK(with_finding("a:\n  #polecat:ignore PC4201 old clients\n  b: 1\n", 3).taken == 1);
    CHECK(with_finding("a:\n  # polecat:ignore rule-shadowed x\n  # why\n  b: 1\n", 4).taken == 1);
    CHECK(with_finding("# polecat:ignore rule-redundant,rule-shadowed , dns x\na: 1\n", 2).taken ==
          1);
    // An empty line, another line, the line above, another rule.
    const Outcome apart = with_finding("# polecat:ignore rule-shadowed x\n\na: 1\n", 3);
    CHECK(apart.taken == 0);
    CHECK(apart.count(Code::SuppressionUnused) == 1);
    CHECK(with_finding("a: 1 # polecat:ignore rule-shadowed x\nb: 1\n", 2).taken == 0);
    CHECK(with_finding("a: 1\n# polecat:ignore rule-shadowed x\nb: 1\n", 1).taken == 0);
    CHECK(with_finding("a: 1 # polecat:ignore rule-redundant x\n", 1).taken == 0);
    CHECK(with_finding("a: 1 # polecat:ignored rule-shadowed x\n", 1).taken == 0);
}

TEST_CASE("text in scalars is no comment, and block scalars may have one in their first line") {
    const std::string comment = "# polecat:ignore rule-shadowed x";
    CHECK(with_finding("a: \"1 " + comment + "\"\n", 1).taken == 0);
    CHECK(with_finding("a: '1 \n  " + comment + "'\n", 2).taken == 0);
    CHECK(with_finding("a: |\n  " + comment + "\n  b\n", 2).taken == 0);
    CHECK(with_finding("a: |\n  " + comment + "\n  b\n", 3).taken == 0);
    CHECK(with_finding("a: 1" + comment + "\n", 1).taken == 0); // part of a plain scalar
    CHECK(with_finding("a: | " + comment + "\n  b\nc: 1\n", 1).taken == 1);
    CHECK(with_finding("a: &x !!str | " + comment + "\n  b\n", 1).taken == 1);
    CHECK(with_finding("a: |\n  b\n" + comment + "\nc: 1\n", 4).taken == 1);
    CHECK(with_finding("a: \"b\r\n  c\" " + comment + "\r\n", 2).taken == 1);
    CHECK(with_finding("\xef\xbb\xbf\xc3\xa4: \xe2\x82\xac " + comment + "\n", 1).taken == 1);
}

TEST_CASE("an annotation suppresses in its object only") {
    const std::string two =
        "apiVersion: v1\nkind: List\nitems:\n"
        "- metadata:\n"
        "    annotations:\n"
        "      polecat.io/ignore: \"rule-shadowed: old; rule-redundant: new;\"\n"
        "  spec: 1\n"
        "- spec: 2\n"
        "---\nspec: 3\n";
    CHECK(with_finding(two, 7).taken == 1);
    CHECK(with_finding(two, 7).count(Code::SuppressionUnused) == 1); // rule-redundant
    CHECK(with_finding(two, 8).taken == 0);
    CHECK(with_finding(two, 10).taken == 0);
    // Through an anchor it speaks of the object that it is written in.
    const std::string shared = "items:\n- metadata: &m\n    annotations:\n"
                               "      polecat.io/ignore: \"rule-shadowed: old\"\n"
                               "  spec: 1\n- metadata: *m\n  spec: 2\n";
    CHECK(with_finding(shared, 5).taken == 1);
    CHECK(with_finding(shared, 7).taken == 0);
}

TEST_CASE("what does not count is reported") {
    const Outcome bare = with_finding("a: 1 # polecat:ignore rule-shadowed --\n", 1);
    CHECK(bare.taken == 0);
    CHECK(bare.count(Code::SuppressionWithoutReason) == 1);
    const Outcome slip = with_finding("a: 1 # polecat:ignore rule-shadowd old clients\n", 1);
    CHECK(slip.taken == 0);
    REQUIRE(slip.count(Code::SuppressionUnknown) == 1);
    CHECK(slip.list.list().back().message.find("did you mean `rule-shadowed`?") !=
          std::string::npos);
    CHECK(with_finding("a: 1 # polecat:ignore\n", 1).count(Code::SuppressionUnknown) == 1);
    const Outcome error =
        with_finding("a: 1 # polecat:ignore unknown-field known\n", 1, Code::UnknownField, false);
    CHECK(error.taken == 0);
    CHECK(error.count(Code::SuppressionOfError) == 1);
    // Where lint did not run, nobody knows what is unused.
    CHECK(with_finding("# polecat:ignore rule-redundant x\na: 1\n", 2, Code::UnknownField, false)
              .count(Code::SuppressionUnused) == 0);
}

TEST_CASE("severities, only and fail-on") {
    diag::Diagnostics list;
    list.report(Code::ShadowedRule, {}, {"a", "b", "takes"});
    list.report(Code::RedundantRule, {}, {"a", "b"});
    list.report(Code::UnknownField, {}, {"a"});
    lint::Choice choice;
    choice.severities[Code::ShadowedRule] = std::nullopt;
    choice.severities[Code::UnknownField] = std::nullopt;
    choice.severities[Code::RedundantRule] = diag::Severity::Warning;
    diag::Diagnostics off = list;
    lint::apply(choice, off);
    REQUIRE(off.list().size() == 2);
    CHECK(off.list()[0].severity == diag::Severity::Warning);
    CHECK(off.list()[1].code == Code::UnknownField); // always reported
    diag::Diagnostics only = list;
    choice = {};
    choice.only = {Code::RedundantRule};
    lint::apply(choice, only);
    CHECK(only.list().size() == 2);
    diag::Diagnostics note;
    note.report(Code::RedundantRule, {}, {"a", "b"});
    CHECK_FALSE(lint::fails({}, note));
    choice.fail_on = diag::Severity::Note;
    CHECK(lint::fails(choice, note));
    choice.fail_on = std::nullopt;
    CHECK_FALSE(lint::fails(choice, list));
    CHECK(*lint::version_named("3.29") == 329);
    for (const char* text : {"", "3", "3.", ".30", "3.3x", "4.1", "3.-1"})
        CHECK_FALSE(lint::version_named(text).ok());
}
