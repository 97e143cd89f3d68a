#include "driver/reach/open_answers.h"

#include <algorithm>
#include <map>

#include "analyzer/explain/trail.h"
#include "driver/input/outside.h"
#include "support/listed.h"

namespace polecat::driver {

using analyzer::Answer;
using analyzer::Answers;
using analyzer::Party;
using analyzer::SetStep;
using decision::Direction;

OpenAnswers::OpenAnswers(Session& session, net::Family family)
    : cluster_(session.cluster()), input_(session.input()),
      ask_(session.cluster(), session.map(family)) {
    std::vector<net::Range> ranges;
    for (const auto& group : ask_.map().groups())
        ranges.insert(ranges.end(), group.outside.ranges().begin(), group.outside.ranges().end());
    outside_ = net::AddressSet::of(std::move(ranges));
}

namespace {

net::AddressSet outside_of(const std::vector<Party>& parties,
                           const std::vector<std::uint32_t>& which) {
    std::vector<net::Range> ranges;
    for (const std::uint32_t i : which)
        ranges.insert(ranges.end(), parties[i].outside.ranges().begin(),
                      parties[i].outside.ranges().end());
    return net::AddressSet::of(std::move(ranges));
}

} // namespace

std::vector<std::string> OpenAnswers::members(const std::vector<Party>& parties,
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

std::string OpenAnswers::label(const std::vector<Party>& parties,
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

std::vector<OpenAnswers::Explained> OpenAnswers::explained(const Answers& answers,
                                                           const Answer& row) {
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
std::set<DecidedBy> OpenAnswers::deciders(const Answers& answers, const Answer& row) {
    std::set<DecidedBy> out;
    std::set<std::pair<const void*, const Trail*>> seen;
    const auto add = [&](const Trail* trail, const decision::GroupProgram* program,
                         Direction direction) {
        if (trail == nullptr || !seen.insert({program->slots.identity(), trail}).second)
            return;
        for (const SetStep& step : *trail) {
            if (step.action != decision::Action::Allow ||
                (step.taken.may & row.connections.may).empty())
                continue;
            const decision::Slot& slot = program->slots[step.slot.value];
            out.insert({std::string(decision::to_string(direction)),
                        analyzer::decider(slot, direction),
                        slot.span.known() ? input_.sources.describe(slot.span) : ""});
        }
    };
    for (const Explained& part : explained(answers, row)) {
        add(part.egress, answers.from[part.from.front()].egress, Direction::Egress);
        add(part.ingress, answers.to[part.to.front()].ingress, Direction::Ingress);
    }
    return out;
}

OpenAnswers::Answered OpenAnswers::ask(const Question& question, Hanging& hanging) {
    Answered out;
    if (question.through) {
        out.through = answers_through(cluster_, input_.sources, ask_, question);
        out.answers = out.through->answers;
    } else {
        out.answers =
            ask_.ask(question.source, question.destination, question.connections, question.explain);
    }
    if (is_partly_unread(input_))
        count_hanging(out, hanging);
    return out;
}

void OpenAnswers::count_hanging(const Answered& of, Hanging& hanging) const {
    const auto& rows = of.answers.rows;
    for (std::size_t i = 0; i < rows.size(); ++i)
        hanging.add(!rows[i].connections.is_certain() && hangs_on_unread(reason(of, i)));
    if (rows.empty()) // that nothing is allowed is an answer as well
        hanging.add(false);
}

std::set<DecidedBy> OpenAnswers::deciders(const Answered& of, std::size_t row) {
    return of.through ? of.through->by[row] : deciders(of.answers, of.answers.rows[row]);
}

std::string OpenAnswers::reason(const Answered& of, std::size_t row) const {
    if (of.through)
        return of.through->reasons[row];
    const Answer& answer = of.answers.rows[row];
    return ask_.doubt(of.answers.from[answer.from.front()], of.answers.to[answer.to.back()],
                      answer.connections.may - answer.connections.sure);
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

} // namespace polecat::driver
