#include "driver/reach/ask_through.h"

#include <numeric>

#include "analyzer/diff/diff.h"
#include "analyzer/explain/trail.h"

namespace polecat::driver {

using analyzer::Party;
using decision::Verdict;

namespace {

void add_deciders(const ir::FlowVerdict& verdict, const Sources& sources,
                  std::set<DecidedBy>& out) {
    for (const ir::WayVerdict& way : verdict.ways)
        for (const ir::HopVerdict& hop : way.hops) {
            if (way.verdict == Verdict::Deny || hop.program == nullptr ||
                hop.skipped != ir::HopVerdict::Skipped::No)
                continue;
            const decision::Slot& slot = hop.program->slots[hop.decision.slot.value];
            if (slot.kind == decision::Slot::Kind::Rule)
                out.insert({std::string(decision::to_string(hop.hop.direction)),
                            analyzer::decider(slot, hop.hop.direction),
                            slot.span.known() ? sources.describe(slot.span) : ""});
        }
}

class Asker {
  public:
    Asker(const decision::LoweredCluster& cluster, const Sources& sources,
          const analyzer::Questions& questions, const Question& question)
        : cluster_(cluster), sources_(sources), question_(question), family_(questions.family()),
          known_(questions.ask(question.source, question.destination, question.connections, true)) {
    }

    ThroughAnswers run() {
        for (const Party& party : known_.from)
            if (party.is_outside()) {
                add_outside(party, party.outside & question_.source_ranges);
                add_outside(party, party.outside - question_.source_ranges);
            } else {
                add_objects(party);
            }
        ThroughAnswers out;
        out.answers.to = known_.to;
        add(allowed_, question_.connections, question_.connections, out);
        add(depends_, {}, question_.connections, out);
        if (question_.explain)
            add(denied_, {}, {}, out);
        return out;
    }

  private:
    struct Row {
        std::vector<Party> from;
        std::set<DecidedBy> by;
        std::string reason;
    };

    /// Addresses of a party that are alike to the service, too.
    void add_outside(Party party, net::AddressSet part) {
        if (part.empty())
            return;
        party.outside = std::move(part);
        ir::PathEnd end;
        end.address = analyzer::example_address(party.outside);
        row_of(judge(end)).push_back(std::move(party));
    }

    /// Endpoints of one party may be on different nodes.
    void add_objects(const Party& party) {
        for (const decision::ObjectId id : party.objects) {
            ir::PathEnd end;
            end.endpoint = id;
            std::vector<Party>& into = row_of(judge(end));
            if (into.empty() || into.back().group != party.group ||
                into.back().egress != party.egress || into.back().is_outside()) {
                into.push_back(party);
                into.back().objects.clear();
            }
            into.back().objects.push_back(id);
        }
    }

    ir::FlowVerdict judge(const ir::PathEnd& source) const {
        ir::PathQuery query;
        query.source = source;
        query.destination = question_.through->front;
        query.route = ir::Route::Wire;
        query.family = family_;
        query.packet.protocol = question_.through->protocol;
        query.packet.destination_port = question_.through->port;
        return ir::judge_flow(cluster_, query);
    }

    std::vector<Party>& row_of(const ir::FlowVerdict& verdict) {
        Row& row = verdict.verdict == Verdict::Allow  ? allowed_
                   : verdict.verdict == Verdict::Deny ? denied_
                                                      : depends_;
        add_deciders(verdict, sources_, row.by);
        if (row.reason.empty())
            row.reason = verdict.reason;
        return row.from;
    }

    static void add(Row& row, analyzer::ConnectionSet sure, analyzer::ConnectionSet may,
                    ThroughAnswers& out) {
        if (row.from.empty())
            return;
        analyzer::Answer answer{{}, {}, {std::move(sure), std::move(may)}};
        answer.from.resize(row.from.size());
        std::iota(answer.from.begin(), answer.from.end(),
                  static_cast<std::uint32_t>(out.answers.from.size()));
        answer.to.resize(out.answers.to.size());
        std::iota(answer.to.begin(), answer.to.end(), std::uint32_t{0});
        std::move(row.from.begin(), row.from.end(), std::back_inserter(out.answers.from));
        out.answers.rows.push_back(std::move(answer));
        out.by.push_back(std::move(row.by));
        out.reasons.push_back(std::move(row.reason));
    }

    const decision::LoweredCluster& cluster_;
    const Sources& sources_;
    const Question& question_;
    net::Family family_;
    analyzer::Answers known_;
    Row allowed_, depends_, denied_;
};

} // namespace

ThroughAnswers answers_through(const decision::LoweredCluster& cluster, const Sources& sources,
                               const analyzer::Questions& questions, const Question& question) {
    return Asker(cluster, sources, questions, question).run();
}

} // namespace polecat::driver
