#include "cli/polecat/reach/print.h"

#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "analyzer/explain/trail.h"
#include "driver/input/input.h"
#include "driver/input/unread.h"
#include "support/json_text.h"
#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

namespace {

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    return out;
}

std::string place(const Sources& sources, const Span& span) {
    return span.known() ? " (" + sources.describe(span) + ")" : "";
}

std::string shown(const decision::World& world, const decision::End& end) {
    if (end.address)
        return net::to_string(*end.address);
    return end.objects.empty() ? "an address that is not known"
                               : world.object(end.objects.front()).name;
}

nlohmann::json hops_json(const decision::LoweredCluster& cluster, const Sources& sources,
                         const ir::WayVerdict& way) {
    using nlohmann::json;
    json hops = json::array();
    for (const ir::HopVerdict& hop : way.hops) {
        json trail = json::array(), isolated = json::array();
        if (hop.program != nullptr && hop.skipped == ir::HopVerdict::Skipped::No)
            for (const analyzer::TrailLine& line : analyzer::trail_of(cluster, hop)) {
                json step{{"tier", line.tier},
                          {"what", line.what},
                          {"outcome", line.outcome},
                          {"decisive", line.decisive}};
                if (!line.failed.empty())
                    step["failed"] = line.failed;
                if (line.span.known())
                    step["at"] = sources.describe(line.span);
                trail.push_back(std::move(step));
            }
        json entry{{"hop", analyzer::describe(hop.hop, cluster.world)},
                   {"verdict", decision::to_string(hop.verdict)},
                   {"source", shown(cluster.world, hop.flow.source)},
                   {"destination", shown(cluster.world, hop.flow.destination)},
                   {"trail", trail}};
        for (const decision::PolicyBlock* block : analyzer::isolating(hop)) {
            isolated.push_back({{"policy", policy::to_string(block->policy)}});
            if (block->span.known())
                isolated.back()["at"] = sources.describe(block->span);
        }
        if (!isolated.empty())
            entry["isolated_by"] = std::move(isolated);
        if (hop.skipped != ir::HopVerdict::Skipped::No)
            entry["skipped"] = analyzer::to_string(hop.skipped);
        hops.push_back(std::move(entry));
    }
    return hops;
}

} // namespace

std::string ReachPrinter::hop_text(const ir::HopVerdict& hop, std::size_t number) const {
    std::string out;
    if (const auto& change = hop.hop.rewrite) {
        if (change->destination_port)
            out += fmt::format("     the service is answered by port {} of a backend\n",
                               *change->destination_port);
        if (change->source)
            out += fmt::format("     from here the source is {}\n",
                               shown(cluster_.world, *change->source));
    }
    out += fmt::format("  {}. {}: {}\n", number, analyzer::describe(hop.hop, cluster_.world),
                       decision::to_string(hop.verdict));
    if (hop.skipped != ir::HopVerdict::Skipped::No)
        return out + fmt::format("       {}\n", analyzer::to_string(hop.skipped));
    if (hop.program == nullptr)
        return out;
    constexpr std::size_t kMostMisses = 3;
    const auto isolating = analyzer::isolating(hop);
    std::size_t misses = 0;
    for (const analyzer::TrailLine& line : analyzer::trail_of(cluster_, hop)) {
        // Of a default deny it is told which rules would have allowed it but for one part.
        const bool near = !isolating.empty() && line.would_allow && line.failed.size() == 1;
        if (!line.matched && !all_rules_ && (!near || ++misses > kMostMisses))
            continue;
        out += fmt::format("     {} {:<22} {}: {}{}{}\n", line.decisive ? ">" : " ", line.tier,
                           line.what, line.outcome, line.failed.empty() ? "" : ": ",
                           fmt::join(line.failed, "; "));
        if (const std::string at = place(sources_, line.span); !at.empty())
            out.insert(out.size() - 1, "  " + at);
    }
    for (const decision::PolicyBlock* block : isolating)
        out += fmt::format("       isolated by {}{}\n", policy::to_string(block->policy),
                           place(sources_, block->span));
    return out;
}

std::string ReachPrinter::suggestion_text(const Suggestion& suggestion) const {
    if (suggestion.edits.empty())
        return "  no change of its policies was found that allows it: " + suggestion.why + "\n";
    std::string out = "  the nearest change that allows it, checked:\n";
    for (const Edit& edit : suggestion.edits) {
        out += fmt::format("    {}{}, in {}:\n", edit.policy,
                           edit.span.known() ? " (" + sources_.describe(edit.span) + ")" : "",
                           edit.where);
        for (std::size_t start = 0; start < edit.rule.size();) {
            const std::size_t stop = edit.rule.find('\n', start);
            out += "      " + edit.rule.substr(start, stop - start) + "\n";
            start = stop + 1;
        }
    }
    out += "    all that it changes:\n";
    constexpr std::size_t kMost = 5;
    for (std::size_t i = 0; i < suggestion.opens.size() && i < kMost; ++i)
        out += "      " + suggestion.opens[i] + "\n";
    if (suggestion.opens.size() > kMost)
        out += fmt::format("      and {} more\n", suggestion.opens.size() - kMost);
    return out;
}

std::string ReachPrinter::ways_text(const ir::FlowVerdict& verdict) const {
    // Where nothing lies between the two ends, it does not matter where they run.
    constexpr std::size_t kOwnHops = 2, kMostWays = 4;
    std::string out;
    std::set<decision::Verdict> told;
    std::size_t shown = 0;
    for (const ir::WayVerdict& way : verdict.ways) {
        const bool again = !told.insert(way.verdict).second;
        if (again && shown >= kMostWays)
            continue;
        ++shown;
        if (verdict.ways.size() > 1)
            out += fmt::format("  {}{}{}{}\n", upper(decision::to_string(way.verdict)),
                               again ? " by other rules" : "", way.assumption.empty() ? "" : " ",
                               way.assumption);
        else if (!way.assumption.empty() && way.hops.size() > kOwnHops &&
                 verdict.verdict != decision::Verdict::Depends)
            out += fmt::format("  shown {}; other ways end in the same\n", way.assumption);
        std::size_t number = 0;
        for (const ir::HopVerdict& hop : way.hops)
            out += hop_text(hop, ++number);
        if (way.hops.empty() && way.reason.empty())
            out += "  no policy governs either end\n";
    }
    if (shown < verdict.ways.size())
        out += fmt::format("  and {} with other rules; --format json has all\n",
                           counted(verdict.ways.size() - shown, "way"));
    return out;
}

std::string ReachPrinter::text(const std::vector<ReachAnswer>& answers) const {
    std::string out;
    for (const ReachAnswer& answer : answers) {
        const ir::FlowVerdict& verdict = answer.verdict;
        out += fmt::format("{}  {} -> {}  {}\n", upper(decision::to_string(verdict.verdict)), from_,
                           to_, to_string(answer.traffic));
        if (!verdict.reason.empty())
            out += "  because " + verdict.reason + "\n";
        out += routes_.text(answer.no_route);
        out += ways_text(verdict);
        if (answer.suggestion)
            out += suggestion_text(*answer.suggestion);
    }
    return out;
}

std::string ReachPrinter::json(const std::vector<ReachAnswer>& answers,
                               const std::vector<std::string>& unread) const {
    using nlohmann::json;
    json out = json::array();
    for (const ReachAnswer& answer : answers) {
        const auto& ways = answer.verdict.ways;
        const json hops = hops_json(cluster_, sources_, ways.front());
        json entry{{"from", from_},
                   {"to", to_},
                   {"traffic", to_string(answer.traffic)},
                   {"verdict", decision::to_string(answer.verdict.verdict)},
                   {"hops", hops}};
        if (!answer.verdict.reason.empty())
            entry["reason"] = answer.verdict.reason;
        if (!unread.empty())
            entry["unread"] = unread;
        if (hangs_on_unread(answer.verdict.reason))
            entry["hangs_on_unread"] = true;
        if (answer.no_route)
            entry["route"] = routes_.json_of<json>(*answer.no_route);
        if (ways.size() > 1)
            for (const ir::WayVerdict& way : ways)
                entry["ways"].push_back({{"verdict", decision::to_string(way.verdict)},
                                         {"when", way.assumption},
                                         {"reason", way.reason},
                                         {"hops", hops_json(cluster_, sources_, way)}});
        if (answer.suggestion) {
            json edits = json::array();
            for (const Edit& edit : answer.suggestion->edits)
                edits.push_back({{"policy", edit.policy},
                                 {"at", sources_.describe(edit.span)},
                                 {"where", edit.where},
                                 {"rule", edit.rule}});
            entry["suggestion"] = {{"edits", edits},
                                   {"why", answer.suggestion->why},
                                   {"changes", answer.suggestion->opens}};
        }
        out.push_back(std::move(entry));
    }
    return json_text(std::move(out));
}

std::string ReachPrinter::summary_text(const std::vector<ReachSummary>& found) const {
    std::string out;
    for (const ReachSummary& each : found) {
        out += fmt::format("{} -> {}  {}\n  allowed  {}\n", from_, to_, net::to_string(each.family),
                           each.allowed);
        if (!each.depends.empty())
            out += fmt::format("  depends  {}\n", each.depends);
        out += routes_.text(each.no_route);
    }
    if (out.empty())
        return fmt::format("{} -> {}\n  nothing: the ends have no address of the same IP family\n",
                           from_, to_);
    return out + "  (by the policies of both ends; host endpoints and nodes on the way are asked "
                 "with --port, which shows the rules that decide)\n";
}

std::string ReachPrinter::summary_json(const std::vector<ReachSummary>& found,
                                       const std::vector<std::string>& unread,
                                       bool hangs_on_unread) const {
    using nlohmann::json;
    json out = json::array();
    for (const ReachSummary& each : found) {
        out.push_back({{"from", from_},
                       {"to", to_},
                       {"family", net::to_string(each.family)},
                       {"allowed", each.allowed},
                       {"depends", each.depends}});
        if (!unread.empty())
            out.back()["unread"] = unread;
        if (hangs_on_unread && !each.depends.empty())
            out.back()["hangs_on_unread"] = true;
        if (each.no_route)
            out.back()["route"] = routes_.json_of<json>(*each.no_route);
    }
    return json_text(std::move(out));
}

} // namespace polecat::cli
