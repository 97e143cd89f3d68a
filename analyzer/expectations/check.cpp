#include "analyzer/expectations/check.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analyzer/expectations/connectivity.h"
#include "analyzer/expectations/names.h"
#include "analyzer/explain/trail.h"
#include "ir/path/path.h"

namespace polecat::analyzer {

using decision::LoweredCluster;
using decision::Slot;
using decision::Verdict;
using expectation::Case;
using expectation::EndName;
using expectation::Traffic;

namespace {

/// What came of one combination.
struct CaseAnswer {
    Verdict verdict = Verdict::Deny;
    std::string reason;
    struct Decider {
        const Slot* slot;
        decision::Direction direction;
        bool operator==(const Decider&) const = default;
    };
    std::vector<Decider> deciders; ///< of each end that had a say
};

const Slot* decider(const decision::GroupProgram& program, const decision::Decision& decision) {
    return &program.slots[decision.slot.value];
}

/// "tier/policy" or "Kind/namespace/name".
bool names(const std::string& by, const Slot& slot) {
    if (slot.kind != Slot::Kind::Rule && slot.kind != Slot::Kind::EndOfTier)
        return false;
    const auto& [kind, space, name, of] = slot.policy;
    return by == slot.tier + "/" + name ||
           by == kind + "/" + (space.empty() ? "" : space + "/") + name;
}

decision::Flow packet_of(const Case& each, const Traffic& traffic) {
    decision::Flow flow;
    flow.protocol = traffic.protocol;
    flow.destination_port = traffic.port;
    flow.source_port = each.source_port;
    flow.icmp_type = traffic.icmp_type;
    flow.icmp_code = traffic.icmp_code;
    flow.http = each.http;
    return flow;
}

/// One endpoint's own program.
Result<CaseAnswer> probe(const LoweredCluster& cluster, const Case& each, const ir::PathEnd& from,
                         const ir::PathEnd& to, const Traffic& traffic) {
    const auto at = find_object(cluster, each.probe->at);
    if (!at)
        return Error{at.error()};
    decision::Flow flow = packet_of(each, traffic);
    flow.source = ir::packet_end(cluster, from);
    flow.destination = ir::packet_end(cluster, to);
    for (const auto& end : {from, to})
        if (end.address)
            flow.family = end.address->family;
    const auto* program = cluster.find(*at, each.probe->direction, each.probe->hook, flow.family);
    CaseAnswer answer;
    if (program == nullptr) {
        answer.verdict = Verdict::Allow;
        return answer;
    }
    const auto decision =
        decision::eval(cluster.program(program->program), cluster.predicates, cluster.world, flow);
    answer.verdict = decision.verdict;
    answer.reason = decision.reason;
    answer.deciders.push_back({decider(*program, decision), each.probe->direction});
    return answer;
}

void add_deciders(const ir::WayVerdict& way, CaseAnswer& answer) {
    for (const ir::HopVerdict& hop : way.hops)
        if (hop.program != nullptr && hop.skipped == ir::HopVerdict::Skipped::No &&
            hop.verdict == way.verdict) {
            const CaseAnswer::Decider found{decider(*hop.program, hop.decision), hop.hop.direction};
            if (std::find(answer.deciders.begin(), answer.deciders.end(), found) ==
                answer.deciders.end())
                answer.deciders.push_back(found);
        }
}

CaseAnswer ask_flow(const LoweredCluster& cluster, const Case& each, const ir::PathEnd& from,
                    const ir::PathEnd& to, const Traffic& traffic) {
    ir::PathQuery query;
    query.source = from;
    query.destination = to;
    query.packet = packet_of(each, traffic);
    if (each.whole_way)
        query.route = ir::Route::Wire;
    const ir::FlowVerdict verdict = ir::judge_flow(cluster, query);
    CaseAnswer answer;
    answer.verdict = verdict.verdict;
    answer.reason = verdict.reason;
    for (const ir::WayVerdict& way : verdict.ways)
        if (way.verdict == verdict.verdict)
            add_deciders(way, answer);
    return answer;
}

std::string question(const Case& each, const std::string& from, const std::string& to,
                     const std::string& traffic) {
    std::string text = fmt::format("{} -> {} {}", from, to, traffic);
    if (each.source_port)
        text += fmt::format(" from port {}", *each.source_port);
    if (each.http)
        text += fmt::format(" {} {}", each.http->method, each.http->path);
    if (each.probe)
        text += fmt::format(" at {} {} {}", each.probe->at.text,
                            decision::to_string(each.probe->direction),
                            decision::to_string(each.probe->hook));
    return text;
}

std::string describe(const CaseAnswer& answer) {
    std::string text(decision::to_string(answer.verdict));
    for (std::size_t i = 0; i < answer.deciders.size(); ++i)
        text += (i == 0 ? " by " : " and ") +
                analyzer::describe(*answer.deciders[i].slot, answer.deciders[i].direction);
    if (!answer.reason.empty())
        text += ": " + answer.reason;
    return text;
}

/// The result of one combination.
CaseResult judge_one(const LoweredCluster& cluster, const Case& each, const EndName& from,
                     const EndName& to, const Traffic& traffic) {
    CaseResult out;
    out.span = each.span;
    out.question = question(each, from.text, to.text, to_string(traffic));
    out.expected = std::string(decision::to_string(*each.expect));
    if (!each.by->empty())
        out.expected += " by " + *each.by;
    const auto source = find_end(cluster, from), target = find_end(cluster, to);
    if (!source || !target) {
        out.found = source ? target.error() : source.error();
        return out;
    }
    const auto answer = each.probe ? probe(cluster, each, *source, *target, traffic)
                                   : ask_flow(cluster, each, *source, *target, traffic);
    if (!answer) {
        out.found = answer.error();
        return out;
    }
    out.found = describe(*answer);
    const bool by =
        each.by->empty() || std::any_of(answer->deciders.begin(), answer->deciders.end(),
                                        [&](const CaseAnswer::Decider& decider) {
                                            return names(*each.by, *decider.slot);
                                        });
    out.passed = answer->verdict == *each.expect && by;
    return out;
}

std::string joined(const std::vector<EndName>& ends) {
    std::vector<std::string> names;
    for (const EndName& end : ends)
        names.push_back(end.text);
    return fmt::format("{}", fmt::join(names, ", "));
}

/// Of several combinations that all hold: what the row asks.
void name_all(const Case& each, CaseResult& result) {
    std::vector<std::string> traffic;
    for (const Traffic& one : each.traffic)
        traffic.push_back(to_string(one));
    const std::size_t count = each.from.size() * each.to.size() * traffic.size();
    if (count < 2)
        return;
    result.question = question(each, joined(each.from), joined(each.to),
                               fmt::format("{}", fmt::join(traffic, ", ")));
    result.found = fmt::format("{} in each of {}", result.expected, count);
}

CaseResult judge_row(const LoweredCluster& cluster, const Case& each) {
    CaseResult last;
    for (const EndName& from : each.from)
        for (const EndName& to : each.to)
            for (const Traffic& traffic : each.traffic) {
                last = judge_one(cluster, each, from, to, traffic);
                if (!last.passed)
                    return last;
            }
    name_all(each, last);
    return last;
}

} // namespace

bool TestResult::passed() const {
    return std::all_of(results.begin(), results.end(),
                       [](const CaseResult& each) { return each.passed; });
}

TestResult judge(const expectation::Test& test, const LoweredCluster& cluster) {
    TestResult out;
    for (const Case& each : test.cases)
        out.results.push_back(judge_row(cluster, each));
    if (test.connectivity)
        judge_connectivity(*test.connectivity, cluster, out.results);
    return out;
}

} // namespace polecat::analyzer
