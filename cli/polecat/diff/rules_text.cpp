#include <algorithm>

#include <fmt/format.h>

#include "cli/polecat/diff/rules_print.h"
#include "cli/polecat/diff/rules_words.h"
#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

namespace {

constexpr std::size_t kNodesShown = 3, kReasonsShown = 5, kProgramsShown = 6;
constexpr const char* kEstimates =
    "times are estimates for a node that has nothing else to do (docs/rollout.md)";

/// Programs of a group's first node, each with who runs it.
std::string programs_text(const NodeRollout& node, PartChange change, std::size_t most) {
    std::string out;
    std::size_t shown = 0, all = 0;
    for (const RulesPart& part : node.parts.parts) {
        if (part.kind != PartKind::Program || part.change != change || ++all > most)
            continue;
        const auto use = node.uses.find(part.name);
        out += fmt::format("      {}{}\n", part.name,
                           use == node.uses.end() ? ""
                                                  : fmt::format("  {} of {}", use->second.direction,
                                                                listed(use->second.endpoints)));
        ++shown;
    }
    if (shown < all)
        out += fmt::format("      and {} more\n", grouped_digits(all - shown));
    return out;
}

std::string group_text(const Rollout& rollout, const RolloutGroup& group, bool whole) {
    const NodeRollout& first = rollout.nodes[group.nodes.front()];
    const std::size_t no_limit = ~std::size_t{0};
    std::string out = group_title(rollout, group, whole ? no_limit : kNodesShown) + "\n";
    if (first.state == NodeRollout::State::NotTold || first.state == NodeRollout::State::Left)
        return out + fmt::format("  {}{}\n",
                                 first.state == NodeRollout::State::Left ? "" : "not told: ",
                                 first.state == NodeRollout::State::Left
                                     ? "HEAD has nothing for it: what it holds stays there"
                                     : first.why);
    if (first.state == NodeRollout::State::Same)
        return out + fmt::format("  nothing is loaded: {} stay\n", stays_text(rollout, group));
    if (first.state == NodeRollout::State::Fresh)
        out += "  BASE has nothing for it: the whole ruleset is loaded\n";
    const auto reasons = reason_lines(rollout, group, whole ? no_limit : kReasonsShown);
    for (std::size_t i = 0; i < reasons.size(); ++i)
        out += fmt::format("  {}  {}\n", i == 0 ? "why" : "   ", reasons[i]);
    const bool one = group.nodes.size() == 1;
    for (const PartLine& line : part_lines(rollout, group)) {
        out += "  " + line.text + "\n";
        if (one && line.kind == PartKind::Program)
            out += programs_text(first, line.change, whole ? no_limit : kProgramsShown);
    }
    if (first.state == NodeRollout::State::Changes)
        out += fmt::format("  nothing else: {} stay\n", stays_text(rollout, group));
    for (const std::string& line : step_lines(rollout, group))
        out += "  " + line + "\n";
    for (const std::string& line : flow_lines(rollout, group))
        out += "  " + line + "\n";
    return out;
}

} // namespace

std::string rollout_text(const Rollout& rollout, const std::vector<std::string>& over, bool whole) {
    std::string out = fmt::format("BASE {}\nHEAD {}\n", rollout.base, rollout.head);
    for (const std::string& note : rollout.notes)
        out += "note: " + note + "\n";
    out += "\n";
    for (const std::string& line : total_lines(rollout))
        out += line + "\n";
    if (rollout.count(NodeRollout::State::Changes) + rollout.count(NodeRollout::State::Fresh) != 0)
        out += std::string(kEstimates) + "\n";
    for (const RolloutGroup& group : groups_of(rollout))
        out += "\n" + group_text(rollout, group, whole);
    for (std::size_t i = 0; i < over.size(); ++i)
        out += fmt::format("{}over the limit: {}\n", i == 0 ? "\n" : "", over[i]);
    return out;
}

std::string rollout_markdown(const Rollout& rollout, const std::vector<std::string>& over) {
    std::string out = "### Rules of nodes: " + total_lines(rollout).front() + "\n\n";
    for (const std::string& each : over)
        out += "**over the limit: " + each + "**\n\n";
    const auto cell = [](const std::vector<std::string>& lines) {
        std::string text;
        for (const std::string& line : lines)
            for (const char c : (text.empty() ? "" : "<br>") + line)
                text += c == '|' ? std::string("\\|") : std::string(1, c);
        return text;
    };
    out += "| nodes | why | what | transactions | flows |\n|---|---|---|---|---|\n";
    for (const RolloutGroup& group : groups_of(rollout)) {
        const NodeRollout& first = rollout.nodes[group.nodes.front()];
        const bool touched = first.is_touched();
        std::vector<std::string> what;
        for (const PartLine& line : part_lines(rollout, group))
            what.push_back("`" + line.text.substr(0, 1) + "`" + line.text.substr(1));
        if (!touched)
            what = {first.state == NodeRollout::State::Same ? "nothing is loaded"
                    : first.state == NodeRollout::State::Left
                        ? "HEAD has nothing for it: what it holds stays"
                        : "not told: " + first.why};
        else if (first.state == NodeRollout::State::Changes)
            what.push_back("nothing else: " + stays_text(rollout, group) + " stay");
        out += fmt::format("| {} | {} | {} | {} | {} |\n",
                           cell({group_title(rollout, group, kNodesShown)}),
                           touched ? cell(reason_lines(rollout, group, kReasonsShown)) : "",
                           cell(what), touched ? cell(step_lines(rollout, group)) : "",
                           touched ? cell(flow_lines(rollout, group)) : "");
    }
    out += fmt::format("\nBASE {}, HEAD {}\n", rollout.base, rollout.head);
    for (const std::string& note : rollout.notes)
        out += "- " + note + "\n";
    return out + "\n" + kEstimates + "\n";
}

} // namespace polecat::cli
