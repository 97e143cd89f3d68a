/// The report for people: order, equal findings, counts.
#include <doctest/doctest.h>

#include <string>

#include "support/diag/digest.h"
#include "support/listed.h"

using namespace polecat;
using diag::Code;

namespace {

/// Files with a line for each finding, so that places differ.
struct Report {
    Sources sources;
    diag::Diagnostics diagnostics;

    Span line(std::uint32_t number, const std::string& file) {
        const FileId id = sources.add(file, std::string(20, '\n'));
        Span out;
        out.file = id;
        out.line = number;
        out.column = out.length = 1;
        return out;
    }
    std::string text() const { return diag::render_digest(diagnostics.list(), sources); }
};

bool before(const std::string& text, const std::string& a, const std::string& b) {
    const auto first = text.find(a), second = text.find(b);
    return first != std::string::npos && second != std::string::npos && first < second;
}

} // namespace

TEST_CASE("errors come first, those of reading before all others, then warnings and notes") {
    Report report;
    report.diagnostics.report(Code::SelectsNothing, report.line(1, "w.yaml"), {"late"});
    report.diagnostics.report(Code::LegacyApiVersion, report.line(1, "l.yaml"), {"Tier"});
    report.diagnostics.report(Code::SelectsNothing, report.line(2, "e.yaml"), {"sure"});
    report.diagnostics.keep_if([](diag::Diagnostic& each) {
        if (each.message.find("sure") != std::string::npos)
            each.severity = diag::Severity::Error;
        if (each.code == Code::LegacyApiVersion)
            each.severity = diag::Severity::Note;
        return true;
    });
    report.diagnostics.report(Code::DuplicateKey, report.line(9, "z.yaml"), {"spec"});
    const std::string text = report.text();
    CHECK(before(text, "z.yaml:9", "e.yaml:2"));
    CHECK(before(text, "e.yaml:2", "w.yaml:1"));
    CHECK(before(text, "w.yaml:1", "l.yaml:1"));
}

TEST_CASE("equal findings stand once, with the places of the others") {
    Report report;
    for (int i = 0; i < 6; ++i)
        report.diagnostics.report(Code::DuplicateKey, report.line(1, "f" + std::to_string(i)),
                                  {"spec"});
    report.diagnostics.report(Code::DuplicateKey, report.line(1, "other"), {"metadata"});
    const std::string text = report.text();
    CHECK(text.find("the same: 5 more in 5 files: f1:1:1, f2:1:1, f3:1:1, ...") !=
          std::string::npos);
    CHECK(text.find("other:1:1") != std::string::npos);
}

TEST_CASE("of a rule's warnings the first few are shown, of errors all") {
    Report report;
    for (int i = 0; i < 8; ++i) {
        const std::string name = "p" + std::to_string(i);
        report.diagnostics.report(Code::SelectsNothing, report.line(1, name), {name});
        report.diagnostics.report(Code::DuplicateKey, report.line(2, name), {name});
    }
    const std::string text = report.text();
    CHECK(text.find("p4:1:1: warning") != std::string::npos);
    CHECK(text.find("p5:1:1: warning") == std::string::npos);
    CHECK(text.find("of PC4101 selector-matches-nothing: 3 more in 3 files: p5:1:1") !=
          std::string::npos);
    CHECK(text.find("p7:2:1: error") != std::string::npos);
}

TEST_CASE("rules are counted where there is much") {
    Report report;
    report.diagnostics.report(Code::SelectsNothing, report.line(1, "a"), {"a"});
    CHECK(diag::rule_counts(report.diagnostics.list()).empty());
    for (int i = 0; i < 1450; ++i)
        report.diagnostics.report(Code::DuplicateKey, Span{}, {"spec"});
    const std::string counts = diag::rule_counts(report.diagnostics.list());
    CHECK(counts == "   1,450  PC1002  duplicate-key\n"
                    "       1  PC4101  selector-matches-nothing\n");
}

TEST_CASE("numbers for people") {
    CHECK(grouped_digits(0) == "0");
    CHECK(grouped_digits(999) == "999");
    CHECK(grouped_digits(1000) == "1,000");
    CHECK(grouped_digits(1234567) == "1,234,567");
    CHECK(counted(1, "file") == "1 file");
    CHECK(counted(0, "file") == "0 files");
    CHECK(counted(2, "prefix") == "2 prefixes");
}

TEST_CASE("notes on the whole input are a line a rule, and what most people mean so is counted") {
    Report report;
    report.diagnostics.report(Code::RedundantRule, report.line(1, "rule"), {"ingress[0]"});
    report.diagnostics.report(Code::UnreadKind, report.line(2, "kinds"), {"v1 Secret", "2 objects"})
        .message += " (and 1 more)";
    report.diagnostics.report(Code::UnrenderedChart, report.line(2, "chart"), {"2", " templates"})
        .severity = diag::Severity::Note;
    for (const char* name : {"p", "q"})
        report.diagnostics.report(Code::NamespaceOmitted, report.line(3, name));
    report.diagnostics.report(Code::WorldEgress, report.line(4, "out"), {"egress[0]", "TCP 443"})
        .as_usual();
    report.diagnostics.report(Code::WorldEgress, report.line(5, "all"), {"egress[0]", "TCP"});
    const std::string text = report.text();
    CHECK(before(text, "rule:1:1: note[PC4202]", "all:5:1: note[PC4219]"));
    CHECK(text.find("not read, and no policy in it: v1 Secret (and 1 more), charts (--render)\n") !=
          std::string::npos);
    CHECK(
        text.ends_with("not shown: 3 notes (--all): 2 missing-namespace, 1 allow-world-egress\n"));
    const std::string every =
        diag::render_digest(report.diagnostics.list(), report.sources, {}, true);
    CHECK(every.find("q:3:1") != std::string::npos);
    CHECK(every.find("not shown") == std::string::npos);
}

TEST_CASE("what is no note is listed, however usual") {
    Report report;
    report.diagnostics.report(Code::SelectsNothing, report.line(1, "w"), {"a"}).as_usual();
    CHECK(report.text().find("w:1:1: warning[PC4101]") != std::string::npos);
}

TEST_CASE("notes of one rule about one object are one, as is what one command mends") {
    Report report;
    for (int i = 0; i < 3; ++i) {
        const std::string rule = "egress[" + std::to_string(i) + "]";
        report.diagnostics.report(Code::NotPortsNoEffect, report.line(1, rule), {rule})
            .about("NetworkPolicy a/b");
        report.diagnostics.report(Code::UnrenderedChart, report.line(2, rule), {rule, ""});
    }
    const std::string text = report.text();
    CHECK(text.find("the same: 2 more in 2 files: egress[1]:1:1, egress[2]:1:1\n") !=
          std::string::npos);
    CHECK(text.find("of PC1024 unrendered-chart: 2 more in 2 files: egress[1]:2:1") !=
          std::string::npos);
}

TEST_CASE("what lies in tests is broken on purpose: counted, unless it is what is asked about") {
    Report report;
    report.diagnostics.report(Code::DuplicateKey, report.line(1, "in/fixtures/a"), {"spec"});
    CHECK(report.text().find("in/fixtures/a:1:1: error[PC1002]") != std::string::npos);
    report.diagnostics.report(Code::SelectsNothing, report.line(1, "in/b"), {"b"});
    const std::string text = report.text();
    CHECK(text.find("error[PC1002]") == std::string::npos);
    CHECK(text.find("in tests and archives: 1 error (--all), the first at in/fixtures/a:1:1") !=
          std::string::npos);
    CHECK(text.find("in/b:1:1: warning[PC4101]") != std::string::npos);
    // Notes count as well, in one line or the other.
    const Span within = report.line(1, "in/tests/c");
    report.diagnostics.report(Code::NotPortsNoEffect, within, {"c"});
    report.diagnostics.report(Code::NoDefaultDeny, within, {"c", "ingress"});
    report.diagnostics.report(Code::EveryNamespace, within);
    const std::string with_notes = report.text();
    CHECK(with_notes.find("in tests and archives: 1 error, 2 notes (--all), the first at "
                          "in/fixtures/a:1:1") != std::string::npos);
    CHECK(with_notes.ends_with("not shown: 1 note (--all): k8s-empty-namespaceselector\n"));
}
