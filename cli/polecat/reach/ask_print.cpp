// Answers to questions with an open end, as text and as JSON (docs/json.md).
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analyzer/explain/trail.h"
#include "cli/polecat/reach/trail_print.h"
#include "driver/input/answer_notes.h"
#include "driver/input/input.h"
#include "driver/input/outside.h"
#include "driver/input/unread.h"
#include "driver/reach/ask_through.h"
#include "ir/path/host_network.h"
#include "support/listed.h"

namespace polecat::cli {

namespace {

using analyzer::Answer;
using analyzer::Answers;
using analyzer::ConnectionSet;
using analyzer::Party;
using analyzer::SetStep;
using decision::Direction;
using nlohmann::json;

using Trail = std::vector<SetStep>;

class Printer {
  public:
    Printer(const decision::LoweredCluster& cluster, const Input& input,
            const decision::Identities& identities, net::Family family, Hanging& hanging)
        : cluster_(cluster), input_(input), sources_(input.sources),
          ask_(cluster, identities, family), trails_(cluster, sources_, ask_.map().http()),
          hanging_(hanging) {
        std::vector<net::Range> ranges;
        for (const auto& group : ask_.map().groups())
            ranges.insert(ranges.end(), group.outside.ranges().begin(),
                          group.outside.ranges().end());
        outside_ = net::AddressSet::of(std::move(ranges));
    }

    std::string text(const Question& question);
    json answers(const Question& question);

  private:
    /// Parts of a row that the same rules of both ends decide.
    struct Explained {
        std::vector<std::uint32_t> from, to;
        const Trail* egress = nullptr;
        const Trail* ingress = nullptr;
    };
    std::vector<Explained> explained(const Answers& answers, const Answer& row);
    /// Answers, who allows and why what depends does: asked for only where that is shown.
    struct Answered {
        Answers answers;
        std::optional<ThroughAnswers> through;
    };
    std::string row_text(const Question& question, const Answered& of, std::size_t number);
    std::string explained_text(const Question& question, const Answers& answers, const Answer& row);
    Answered answered(const Question& question);
    void count_hanging(const Answered& of);
    std::set<DecidedBy> deciders(const Answered& of, std::size_t row);
    std::string reason(const Answered& of, std::size_t row) const;
    std::set<DecidedBy> deciders(const Answers& answers, const Answer& row);
    std::vector<std::string> members(const std::vector<Party>& parties,
                                     const std::vector<std::uint32_t>& which) const;
    std::string label(const std::vector<Party>& parties, const std::vector<std::uint32_t>& which,
                      const std::string& asked, const analyzer::AskedEnds& ends) const;
    std::string described(const ConnectionSet& set) const {
        return set.describe(ask_.map().http());
    }

    const decision::LoweredCluster& cluster_;
    const Input& input_;
    const Sources& sources_;
    analyzer::Questions ask_;
    TrailPrinter trails_;
    Hanging& hanging_;
    net::AddressSet outside_;                   ///< that no endpoint has
    std::map<const Trail*, std::string> texts_; ///< of one question
};

net::AddressSet outside_of(const std::vector<Party>& parties,
                           const std::vector<std::uint32_t>& which) {
    std::vector<net::Range> ranges;
    for (const std::uint32_t i : which)
        ranges.insert(ranges.end(), parties[i].outside.ranges().begin(),
                      parties[i].outside.ranges().end());
    return net::AddressSet::of(std::move(ranges));
}

std::vector<std::string> Printer::members(const std::vector<Party>& parties,
                                          const std::vector<std::uint32_t>& which) const {
    std::vector<std::string> out;
    for (const std::uint32_t i : which)
        for (const decision::ObjectId id : parties[i].objects)
            out.push_back(name_of(cluster_, id));
    std::sort(out.begin(), out.end());
    for (const net::Cidr& cidr : outside_of(parties, which).cidrs())
        out.push_back(net::to_string(cidr));
    return out;
}

/// Names up to a number; outside addresses by the fewest CIDRs.
std::string Printer::label(const std::vector<Party>& parties,
                           const std::vector<std::uint32_t>& which, const std::string& asked,
                           const analyzer::AskedEnds& ends) const {
    constexpr std::size_t kMost = 6;
    std::vector<std::string> names;
    for (const std::uint32_t i : which)
        for (const decision::ObjectId id : parties[i].objects)
            names.push_back(name_of(cluster_, id));
    std::sort(names.begin(), names.end());
    std::string out = listed(names, kMost);
    const net::AddressSet nets = outside_of(parties, which);
    if (nets.empty())
        return out;
    // Not of the parties alone: who is refused on the way, or left out by a load balancer, may be
    // none of them.
    const net::AddressSet whole = ends.any || ends.outside ? outside_ : outside_ & ends.addresses;
    const std::string every =
        asked == "any" ? "any outside address" : "any address of " + asked + " that no pod has";
    const std::string text = outside_label(nets, whole, every, kMost);
    return out + (out.empty() ? "" : ", ") + text;
}

std::vector<Printer::Explained> Printer::explained(const Answers& answers, const Answer& row) {
    std::vector<Explained> out;
    std::map<std::pair<const Trail*, const Trail*>, std::size_t> known;
    const bool by_source = row.from.size() <= row.to.size();
    const auto& outer = by_source ? row.from : row.to;
    const auto& inner = by_source ? row.to : row.from;
    for (const std::uint32_t i : outer) {
        known.clear(); // so that all of `from` go with all of `to`
        for (const std::uint32_t j : inner) {
            const std::uint32_t from = by_source ? i : j, to = by_source ? j : i;
            const Party &source = answers.from[from], &target = answers.to[to];
            const bool self = source.objects.size() == 1 && source.objects == target.objects;
            if (self || (source.is_outside() && target.is_outside()))
                continue;
            const auto* egress = ask_.trail(source, target, Direction::Egress);
            const auto* ingress = ask_.trail(source, target, Direction::Ingress);
            const auto [place, added] = known.try_emplace({egress, ingress}, out.size());
            if (added)
                out.push_back({{}, {}, egress, ingress});
            Explained& into = out[place->second];
            (by_source ? into.from : into.to) = {i};
            (by_source ? into.to : into.from).push_back(j);
        }
    }
    return out;
}

/// Rules that allow, of either end.
std::set<DecidedBy> Printer::deciders(const Answers& answers, const Answer& row) {
    std::set<DecidedBy> out;
    std::set<std::pair<const void*, const Trail*>> seen;
    const auto add = [&](const Trail* trail, const decision::GroupProgram* program,
                         Direction direction) {
        if (trail == nullptr || !seen.insert({program->slots.identity(), trail}).second)
            return;
        for (const SetStep& step : *trail) {
            if (step.action != decision::Action::Allow || (step.may & row.may).empty())
                continue;
            const decision::Slot& slot = program->slots[step.slot.value];
            out.insert({std::string(decision::to_string(direction)),
                        analyzer::decider(slot, direction),
                        slot.span.known() ? sources_.describe(slot.span) : ""});
        }
    };
    for (const Explained& part : explained(answers, row)) {
        add(part.egress, answers.from[part.from.front()].egress, Direction::Egress);
        add(part.ingress, answers.to[part.to.front()].ingress, Direction::Ingress);
    }
    return out;
}

Printer::Answered Printer::answered(const Question& question) {
    Answered out;
    if (question.through) {
        out.through = answers_through(cluster_, sources_, ask_, question);
        out.answers = out.through->answers;
    } else {
        out.answers =
            ask_.ask(question.source, question.destination, question.connections, question.explain);
    }
    if (is_partly_unread(input_))
        count_hanging(out);
    return out;
}

void Printer::count_hanging(const Answered& of) {
    const auto& rows = of.answers.rows;
    for (std::size_t i = 0; i < rows.size(); ++i)
        hanging_.add(rows[i].may != rows[i].allow && hangs_on_unread(reason(of, i)));
    if (rows.empty()) // that nothing is allowed is an answer as well
        hanging_.add(false);
}

std::set<DecidedBy> Printer::deciders(const Answered& of, std::size_t row) {
    return of.through ? of.through->by[row] : deciders(of.answers, of.answers.rows[row]);
}

std::string Printer::reason(const Answered& of, std::size_t row) const {
    if (of.through)
        return of.through->reasons[row];
    const Answer& answer = of.answers.rows[row];
    return ask_.doubt(of.answers.from[answer.from.front()], of.answers.to[answer.to.back()],
                      answer.may - answer.allow);
}

std::string Printer::row_text(const Question& question, const Answered& of, std::size_t number) {
    const Answers& answers = of.answers;
    const Answer& row = answers.rows[number];
    std::string out;
    // An end of which all is in the row is in the heading already.
    const bool all_from = row.from.size() == answers.from.size();
    const bool all_to = row.to.size() == answers.to.size();
    const std::string from = label(answers.from, row.from, question.from, question.source);
    const std::string to = label(answers.to, row.to, question.to, question.destination);
    if (all_to && !question.destination.any)
        out = fmt::format("  {}\n", from);
    else if (all_from && !question.source.any)
        out = fmt::format("  {}\n", to);
    else
        out = fmt::format("  {}\n   -> {}\n", from, to);
    if (!row.allow.empty())
        out += "      allowed  " + described(row.allow) + "\n";
    if (row.may != row.allow) {
        out += "      depends  " + described(row.may - row.allow) + "\n";
        if (const std::string why = reason(of, number); !why.empty())
            out += "               because " + why + "\n";
    }
    const auto rules = deciders(of, number);
    constexpr std::size_t kShort = 4;
    if (rules.size() > kShort)
        out += fmt::format("      by       {} rules: --explain shows them\n", rules.size());
    else
        for (const DecidedBy& rule : rules)
            out += "      by       " + rule.text() + "\n";
    return out;
}

std::string Printer::explained_text(const Question& question, const Answers& answers,
                                    const Answer& row) {
    std::string out;
    const std::string verdict =
        row.may.empty()
            ? "DENY"
            : "allowed " + (row.allow.empty() ? "nothing for sure" : described(row.allow));
    const std::string open =
        row.may == row.allow ? "" : "; depends: " + described(row.may - row.allow);
    for (const Explained& part : explained(answers, row)) {
        out += fmt::format(
            "{} -> {}\n  {}{}\n", label(answers.from, part.from, question.from, question.source),
            label(answers.to, part.to, question.to, question.destination), verdict, open);
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

std::string Printer::text(const Question& question) {
    texts_.clear();
    const Answered of = answered(question);
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

json Printer::answers(const Question& question) {
    const Answered of = answered(question);
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
        json common{{"allowed", row.allow.empty() ? "" : described(row.allow)},
                    {"depends", row.may == row.allow ? "" : described(row.may - row.allow)}};
        if (row.may != row.allow) {
            common["reason"] = reason(of, i);
            if (hangs_on_unread(common["reason"]))
                common["hangs_on_unread"] = true;
        }
        if (!question.explain) {
            common["from"] = members(answers.from, row.from);
            common["to"] = members(answers.to, row.to);
            common["by"] = json::array();
            for (const DecidedBy& rule : deciders(of, i)) {
                common["by"].push_back(rule.text());
                common["rules"].push_back({{"direction", rule.direction}, {"rule", rule.rule}});
                if (!rule.at.empty())
                    common["rules"].back()["at"] = rule.at;
            }
            out["answers"].push_back(std::move(common));
            continue;
        }
        for (const Explained& part : explained(answers, row)) {
            json entry = common;
            entry["from"] = members(answers.from, part.from);
            entry["to"] = members(answers.to, part.to);
            entry["egress"] = number(part.egress, answers.from[part.from.front()].egress);
            entry["ingress"] = number(part.ingress, answers.to[part.to.front()].ingress);
            out["answers"].push_back(std::move(entry));
        }
    }
    if (question.explain)
        out["trails"] = std::move(trails);
    return out;
}

/// Where nothing has an IPv6 address, only IPv4 is answered, unless IPv6 was asked for.
std::vector<net::Family> families_of(const decision::LoweredCluster& cluster,
                                     const std::vector<Question>& questions) {
    bool v6 = false, v4 = false;
    for (const decision::Object& object : cluster.world.objects)
        for (const net::Address& address : object.addresses)
            v6 = v6 || address.family == net::Family::V6;
    for (const Question& question : questions)
        for (const auto* ends : {&question.source, &question.destination}) {
            v6 = v6 || !ends->addresses.of_family(net::Family::V6).empty();
            v4 = v4 || ends->addresses.empty() ||
                 !ends->addresses.of_family(net::Family::V4).empty();
        }
    std::vector<net::Family> out;
    if (v4 || !v6)
        out.push_back(net::Family::V4);
    if (v6)
        out.push_back(net::Family::V6);
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
        Printer printer(cluster, input, identities, family, hanging);
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
        Printer printer(cluster, input, identities, family, hanging);
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
