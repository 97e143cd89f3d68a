#include "cli/polecat/diff/print.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/polecat/diff/routing.h"
#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

using analyzer::Cause;
using analyzer::ChangeKind;
using analyzer::Decider;
using nlohmann::json;

namespace {

std::string decider_text(const Decider& decider, const Sources& sources) {
    const std::string place =
        decider.span.known() ? " (" + sources.describe(decider.span) + ")" : "";
    const std::string_view verb = decider.verdict == decision::Verdict::Allow  ? "allowed by "
                                  : decider.verdict == decision::Verdict::Deny ? "denied by "
                                                                               : "depends on ";
    return std::string(verb) + decider.text + place;
}

struct Words {
    std::string before, now;
};

Words words_of(const Cause& cause, const DiffReport& report) {
    const std::string side = std::string(decision::to_string(cause.direction)) + ": ";
    return {side + decider_text(cause.before, report.base.sources),
            side + decider_text(cause.now, report.head.sources)};
}

const char* sign_of(ChangeKind kind) {
    return kind == ChangeKind::Opened || kind == ChangeKind::PerhapsOpen ? "+" : "-";
}

constexpr const char* kDependsNote =
    "some flows depend on what is not known (addresses of pods, domains): they count as changed "
    "where more or less is possible than before";

json place_of(const Span& span, const Sources& sources) {
    return span.known() ? json(sources.describe(span)) : json();
}

json cause_json(const Cause& cause, const DiffReport& report) {
    const auto side = [](const Decider& decider, const Sources& sources) {
        return json{{"verdict", decision::to_string(decider.verdict)},
                    {"by", decider.text},
                    {"at", place_of(decider.span, sources)}};
    };
    return {{"direction", decision::to_string(cause.direction)},
            {"before", side(cause.before, report.base.sources)},
            {"now", side(cause.now, report.head.sources)}};
}

} // namespace

std::string proof_text(const smt::DiffProof& proof) {
    return fmt::format("Z3: {} confirmed, {} confirmed, {} unknown; {} of changed flows replayed",
                       counted(proof.equal, "equal program"),
                       counted(proof.different, "difference"), proof.unknown,
                       counted(proof.examples, "example"));
}

std::string diff_text(const DiffReport& report) {
    std::string out = counts_of(report) + "\n" + lists_of(report, "");
    for (const DiffRow& row : report.rows) {
        out += fmt::format("\n{} {}  {} -> {}  {}{}\n", sign_of(row.kind), to_string(row.kind),
                           row.from, row.to, row.connections,
                           row.family.empty() ? "" : "  (" + row.family + ")");
        if (!row.causes.empty())
            out += fmt::format("    for example {}\n", row.example);
        for (const Cause& cause : row.causes) {
            const Words words = words_of(cause, report);
            out += fmt::format("      before  {}\n      now     {}\n", words.before, words.now);
        }
    }
    if (report.diff.depends)
        out += fmt::format("\n({})\n", kDependsNote);
    if (report.proof)
        out += fmt::format("\n{}\n", proof_text(*report.proof));
    return report.routing ? out + routing_text(*report.routing) : out;
}

std::string diff_json(const DiffReport& report) {
    json changes = json::array();
    for (const DiffRow& row : report.rows) {
        json causes = json::array();
        for (const Cause& cause : row.causes)
            causes.push_back(cause_json(cause, report));
        changes.push_back({{"change", to_string(row.kind)},
                           {"family", row.family.empty() ? json() : json(row.family)},
                           {"from", row.sources},
                           {"to", row.destinations},
                           {"connections", row.connections},
                           {"example", row.example},
                           {"causes", causes}});
    }
    json out{{"changes", changes},
             {"policies",
              {{"added", report.policies.added},
               {"gone", report.policies.gone},
               {"changed", report.policies.changed},
               {"unseen", report.unseen}}},
             {"endpoints", {{"added", report.diff.added}, {"gone", report.diff.gone}}},
             {"hostEndpointHooks", report.diff.other_hooks},
             {"depends", report.diff.depends}};
    if (!report.unread.empty())
        out["unread"] = report.unread;
    if (report.proof)
        out["proof"] = {{"equalPrograms", report.proof->equal},
                        {"differentPrograms", report.proof->different},
                        {"unknownPrograms", report.proof->unknown},
                        {"examples", report.proof->examples}};
    if (report.routing)
        out["routing"] = json::parse(routing_json(*report.routing));
    return out.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string diff_markdown(const DiffReport& report) {
    const auto cell = [](std::string text) {
        for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
            text.insert(at, "\\");
        return text;
    };
    std::string out = "### Network policy: " + counts_of(report) + "\n\n";
    for (const std::string& line : report.unread)
        out += "**" + line + "**\n\n";
    if (!report.rows.empty())
        out += "| | from | to | connections | before | now |\n|---|---|---|---|---|---|\n";
    for (const DiffRow& row : report.rows) {
        Words all;
        for (const Cause& cause : row.causes) {
            const Words words = words_of(cause, report);
            all.before += (all.before.empty() ? "" : "<br>") + words.before;
            all.now += (all.now.empty() ? "" : "<br>") + words.now;
        }
        out += fmt::format("| **{}**{} | {} | {} | {} | {} | {} |\n", to_string(row.kind),
                           row.family.empty() ? "" : " " + row.family, cell(row.from), cell(row.to),
                           cell(row.connections), cell(all.before), cell(all.now));
    }
    const std::string lists = lists_of(report, "- ");
    out += (lists.empty() ? "" : "\n") + lists;
    if (report.diff.depends)
        out += fmt::format("\n{}\n", kDependsNote);
    if (report.proof)
        out += fmt::format("\n{}\n", proof_text(*report.proof));
    return report.routing ? out + routing_markdown(*report.routing) : out;
}

} // namespace polecat::cli
