#include "cli/polecat/reach/ask_print.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/polecat/reach/trail_print.h"
#include "driver/input/answer_notes.h"
#include "driver/reach/open_answers.h"
#include "ir/path/host_network.h"

namespace polecat::cli {

using namespace driver;

namespace {

using analyzer::Answer;
using analyzer::Answers;
using analyzer::ConnectionSet;
using analyzer::Party;
using nlohmann::json;

using Trail = OpenAnswers::Trail;
using Answered = OpenAnswers::Answered;
using Explained = OpenAnswers::Explained;

class OpenPrinter {
  public:
    OpenPrinter(const decision::LoweredCluster& cluster, const Input& input,
                const decision::Identities& identities, net::Family family, Hanging& hanging)
        : cluster_(cluster), ask_(cluster, input, identities, family),
          trails_(cluster, input.sources, ask_.http()), hanging_(hanging) {}

    std::string text(const Question& question);
    json answers(const Question& question);

  private:
    std::string row_text(const Question& question, const Answered& of, std::size_t number);
    std::string explained_text(const Question& question, const Answers& answers, const Answer& row);
    std::string described(const ConnectionSet& set) const { return set.describe(ask_.http()); }

    const decision::LoweredCluster& cluster_;
    OpenAnswers ask_;
    TrailPrinter trails_;
    Hanging& hanging_;
    std::map<const Trail*, std::string> texts_; ///< of one question
};

std::string OpenPrinter::row_text(const Question& question, const Answered& of,
                                  std::size_t number) {
    const Answers& answers = of.answers;
    const Answer& row = answers.rows[number];
    std::string out;
    // An end of which all is in the row is in the heading already.
    const bool all_from = row.from.size() == answers.from.size();
    const bool all_to = row.to.size() == answers.to.size();
    const std::string from = ask_.label(answers.from, row.from, question.from, question.source);
    const std::string to = ask_.label(answers.to, row.to, question.to, question.destination);
    if (all_to && !question.destination.any)
        out = fmt::format("  {}\n", from);
    else if (all_from && !question.source.any)
        out = fmt::format("  {}\n", to);
    else
        out = fmt::format("  {}\n   -> {}\n", from, to);
    if (!row.connections.sure.empty())
        out += "      allowed  " + described(row.connections.sure) + "\n";
    if (!row.connections.is_certain()) {
        out += "      depends  " + described(row.connections.may - row.connections.sure) + "\n";
        if (const std::string why = ask_.reason(of, number); !why.empty())
            out += "               because " + why + "\n";
    }
    const auto rules = ask_.deciders(of, number);
    constexpr std::size_t kShort = 4;
    if (rules.size() > kShort)
        out += fmt::format("      by       {} rules: --explain shows them\n", rules.size());
    else
        for (const DecidedBy& rule : rules)
            out += "      by       " + rule.text() + "\n";
    return out;
}

std::string OpenPrinter::explained_text(const Question& question, const Answers& answers,
                                        const Answer& row) {
    std::string out;
    const std::string verdict =
        row.connections.may.empty()
            ? "DENY"
            : "allowed " + (row.connections.sure.empty() ? "nothing for sure"
                                                         : described(row.connections.sure));
    const std::string open =
        row.connections.is_certain()
            ? ""
            : "; depends: " + described(row.connections.may - row.connections.sure);
    for (const Explained& part : ask_.explained(answers, row)) {
        out += fmt::format("{} -> {}\n  {}{}\n",
                           ask_.label(answers.from, part.from, question.from, question.source),
                           ask_.label(answers.to, part.to, question.to, question.destination),
                           verdict, open);
        const auto side = [&](const Trail* trail, const Party& end,
                              const decision::GroupProgram* program, const char* name) {
            if (trail == nullptr) {
                out += fmt::format("  {}: {}\n", name,
                                   end.unsure ? ir::kUnsureGovernor : "no policy there");
                return;
            }
            out += fmt::format("  {}\n", name);
            std::string& known = texts_[trail];
            if (known.empty())
                known = trails_.text(*trail, *program, question.connections);
            out += known;
        };
        const Party &source = answers.from[part.from.front()],
                    &target = answers.to[part.to.front()];
        side(part.egress, source, source.egress, "egress");
        side(part.ingress, target, target.ingress, "ingress");
        out += '\n';
    }
    return out;
}

std::string OpenPrinter::text(const Question& question) {
    texts_.clear();
    const Answered of = ask_.ask(question, hanging_);
    const Answers& answers = of.answers;
    // Who is let in nowhere is somebody all the same.
    if ((answers.from.empty() && !of.through) || answers.to.empty())
        return "";
    std::string out = fmt::format("{} -> {}  {}  {}\n", question.from, question.to,
                                  question.traffic.empty() ? "any port" : question.traffic,
                                  net::to_string(ask_.family()));
    for (std::size_t i = 0; i < answers.rows.size(); ++i)
        out += question.explain ? explained_text(question, answers, answers.rows[i])
                                : row_text(question, of, i);
    if (of.through && question.explain)
        out += "(the rules as the ends' own addresses meet them; a node on the way may put its own "
               "in place of the source: ask with both ends)\n";
    if (answers.rows.empty())
        out += fmt::format("  {}\n", cluster_.endpoints.empty() ? kNobody : "nothing is allowed");
    return out;
}

json OpenPrinter::answers(const Question& question) {
    const Answered of = ask_.ask(question, hanging_);
    const Answers& answers = of.answers;
    json out{{"from", question.from},
             {"to", question.to},
             {"traffic", question.traffic.empty() ? "*" : question.traffic},
             {"family", net::to_string(ask_.family())},
             {"answers", json::array()}};
    std::map<const Trail*, std::size_t> numbers;
    json trails = json::array();
    const auto number = [&](const Trail* trail, const decision::GroupProgram* program) -> json {
        if (trail == nullptr)
            return nullptr;
        const auto [place, added] = numbers.try_emplace(trail, trails.size());
        if (added)
            trails.push_back(json::parse(trails_.json(*trail, *program, question.connections)));
        return place->second;
    };
    for (std::size_t i = 0; i < answers.rows.size(); ++i) {
        const Answer& row = answers.rows[i];
        json common{
            {"allowed", row.connections.sure.empty() ? "" : described(row.connections.sure)},
            {"depends", row.connections.is_certain()
                            ? ""
                            : described(row.connections.may - row.connections.sure)}};
        if (!row.connections.is_certain()) {
            common["reason"] = ask_.reason(of, i);
            if (hangs_on_unread(common["reason"]))
                common["hangs_on_unread"] = true;
        }
        if (!question.explain) {
            common["from"] = ask_.members(answers.from, row.from);
            common["to"] = ask_.members(answers.to, row.to);
            common["by"] = json::array();
            for (const DecidedBy& rule : ask_.deciders(of, i)) {
                common["by"].push_back(rule.text());
                common["rules"].push_back({{"direction", rule.direction}, {"rule", rule.rule}});
                if (!rule.at.empty())
                    common["rules"].back()["at"] = rule.at;
            }
            out["answers"].push_back(std::move(common));
            continue;
        }
        for (const Explained& part : ask_.explained(answers, row)) {
            json entry = common;
            entry["from"] = ask_.members(answers.from, part.from);
            entry["to"] = ask_.members(answers.to, part.to);
            entry["egress"] = number(part.egress, answers.from[part.from.front()].egress);
            entry["ingress"] = number(part.ingress, answers.to[part.to.front()].ingress);
            out["answers"].push_back(std::move(entry));
        }
    }
    if (question.explain)
        out["trails"] = std::move(trails);
    return out;
}

bool is_asked(const Question& question, net::Family family) {
    return question.families.empty() ||
           std::find(question.families.begin(), question.families.end(), family) !=
               question.families.end();
}

} // namespace

std::string answer_text(const decision::LoweredCluster& cluster, const Input& input,
                        const std::vector<Question>& questions, Hanging& hanging) {
    const decision::Identities identities(cluster);
    std::string out;
    for (const net::Family family : families_of(cluster, questions)) {
        OpenPrinter printer(cluster, input, identities, family, hanging);
        for (const Question& question : questions)
            if (is_asked(question, family))
                out += printer.text(question);
    }
    if (out.empty())
        return "nothing: the ends have no address of the same IP family\n";
    return out + "(by the policies of both ends; host endpoints, nodes and routes on the way are "
                 "followed where both ends and the port are given)\n";
}

std::string answer_json(const decision::LoweredCluster& cluster, const Input& input,
                        const std::vector<Question>& questions, Hanging& hanging) {
    const decision::Identities identities(cluster);
    json out = json::array();
    for (const net::Family family : families_of(cluster, questions)) {
        OpenPrinter printer(cluster, input, identities, family, hanging);
        for (const Question& question : questions)
            if (is_asked(question, family))
                out.push_back(printer.answers(question));
    }
    if (const auto unread = unread_lines(input, hanging); !unread.empty())
        for (json& entry : out)
            entry["unread"] = unread;
    if (cluster.endpoints.empty())
        fmt::print(stderr, "note: {}\n", kNobody);
    return out.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

} // namespace polecat::cli
