#include "analyzer/z3/questions.h"

#include <algorithm>

#include "analyzer/flows/program_view.h"
#include "ir/decision/eval.h"
#include "ir/decision/match.h"

namespace polecat::smt {

using analyzer::Unit;
using decision::Decision;
using decision::Entry;
using decision::Flow;
using decision::Program;
using decision::Step;
using decision::Tri;

Program without(const Program& program, const Unit& unit) {
    Program out = program;
    auto& stages = out.stages;
    const auto stage = stages.begin() + static_cast<std::ptrdiff_t>(unit.stage);
    if (unit.whole_stage) {
        stages.erase(stage);
        return out;
    }
    const auto first = stage->entries.begin() + static_cast<std::ptrdiff_t>(unit.first);
    stage->entries.erase(first, first + static_cast<std::ptrdiff_t>(unit.count));
    return out;
}

namespace {

std::string name_of(const Program& program, const Unit& unit) {
    return std::string(decision::to_string(program.hook)) + " " +
           std::string(decision::to_string(program.direction)) +
           (program.family == net::Family::V4 ? " IPv4" : " IPv6") + ", stage " +
           std::to_string(unit.stage) + ", entries " + std::to_string(unit.first) + " to " +
           std::to_string(unit.first + unit.count) + " (not included)";
}

} // namespace

struct ProgramQuestions::State {
    State(const ExistingEnds& of, const analyzer::HttpAtoms& requests, const Program& asked,
          std::optional<std::vector<decision::ObjectId>> owners, QueryOptions given)
        : ends(of), program(asked), own(std::move(owners)), options(std::move(given)),
          packet(terms, requests, asked.family), variables(terms, packet, {{&of, {&asked}}}, own),
          ask([this](decision::PredicateId id, bool source) { return variables.ask(id, source); }),
          encoded(encode(asked, terms, packet, ask)),
          session(terms, terms.both(packet.domain(), variables.domain()), options) {}

    Flow flow(const EndVariables& of, const Model& model) const {
        Flow out = packet.flow(model);
        std::tie(out.source, out.destination) = of.ends(model);
        return out;
    }

    /// Asks, and has eval agree with the flow that is found.
    FlowAnswer answer(Session& by, const EndVariables& of, Term wanted, const std::string& about,
                      const std::function<bool(const Flow&)>& confirmed) {
        const Answer found = by.ask(wanted, about);
        FlowAnswer out{found.kind, std::nullopt, found.reason};
        if (found.kind != Answer::Kind::Yes)
            return out;
        out.witness = flow(of, found.model);
        if (!confirmed(*out.witness))
            throw Disagreement("eval does not confirm Z3's flow: " + about);
        return out;
    }

    FlowAnswer answer(Term wanted, const std::string& about,
                      const std::function<bool(const Flow&)>& confirmed) {
        return answer(session, variables, wanted, about, confirmed);
    }

    /// Some flow comes to an entry of the unit that matches it, or may.
    Term decided(const Unit& unit) {
        std::vector<Term> any;
        const auto& entries = encoded.stages[unit.stage].entries;
        for (std::uint32_t i = unit.first; i < unit.first + unit.count; ++i)
            any.push_back(terms.both(entries[i].arriving, entries[i].match.may));
        return terms.any_of(std::move(any));
    }

    Decision eval(const Program& by, const Flow& flow) const {
        return decision::eval(by, ends.cluster().predicates, ends.cluster().world, flow);
    }

    /// Some entry of the unit for which `test` holds.
    bool some_entry(const Unit& unit, const std::function<bool(const Entry&)>& test) const {
        const auto& entries = program.stages[unit.stage].entries;
        return std::any_of(entries.begin() + unit.first, entries.begin() + unit.first + unit.count,
                           [&](const Entry& entry) { return !entry.staged && test(entry); });
    }

    const ExistingEnds& ends;
    const Program& program;
    const std::optional<std::vector<decision::ObjectId>> own;
    const QueryOptions options;
    Terms terms;
    Packet packet;
    EndVariables variables;
    const AskEnd ask;
    const EncodedProgram encoded;
    Session session;
};

ProgramQuestions::ProgramQuestions(const ExistingEnds& ends, const analyzer::HttpAtoms& requests,
                                   const Program& program,
                                   std::optional<std::vector<decision::ObjectId>> own,
                                   QueryOptions options)
    : state_(std::make_unique<State>(ends, requests, program, std::move(own), std::move(options))) {
}
ProgramQuestions::~ProgramQuestions() = default;

FlowAnswer ProgramQuestions::matches(const Unit& unit) {
    State& s = *state_;
    std::vector<Term> any;
    const auto& entries = s.encoded.stages[unit.stage].entries;
    for (std::uint32_t i = unit.first; i < unit.first + unit.count; ++i)
        any.push_back(entries[i].match.may);
    return s.answer(s.terms.any_of(std::move(any)),
                    "is there a flow that the rule matches: " + name_of(s.program, unit),
                    [&](const Flow& flow) {
                        return s.some_entry(unit, [&](const Entry& entry) {
                            return decision::matches(entry.match, s.ends.cluster().predicates,
                                                     s.ends.cluster().world, flow) != Tri::No;
                        });
                    });
}

FlowAnswer ProgramQuestions::decides(const Unit& unit) {
    State& s = *state_;
    return s.answer(s.decided(unit),
                    "is there a flow that the rule matches and nothing before it takes: " +
                        name_of(s.program, unit),
                    [&](const Flow& flow) {
                        const Decision decision = s.eval(s.program, flow);
                        return s.some_entry(unit, [&](const Entry& entry) {
                            return std::any_of(decision.trail.begin(), decision.trail.end(),
                                               [&](const Step& step) {
                                                   return step.stage == unit.stage &&
                                                          step.slot == entry.slot &&
                                                          (step.outcome == Step::Outcome::Match ||
                                                           step.outcome == Step::Outcome::Unknown);
                                               });
                        });
                    });
}

FlowAnswer ProgramQuestions::reached(const Unit& unit) {
    State& s = *state_;
    const EncodedStage& stage = s.encoded.stages[unit.stage];
    const Term wanted =
        unit.first < stage.entries.size() ? stage.entries[unit.first].arriving : stage.leaving;
    return s.answer(wanted, "is there a flow that comes to: " + name_of(s.program, unit),
                    [&](const Flow& flow) {
                        // A rule that everything matches, put there, must be looked at.
                        Program probed = s.program;
                        const decision::SlotId probe{UINT32_MAX};
                        auto& entries = probed.stages[unit.stage].entries;
                        entries.insert(entries.begin() + unit.first,
                                       Entry{{}, decision::Action::Deny, false, probe});
                        const Decision decision = s.eval(probed, flow);
                        return std::any_of(decision.trail.begin(), decision.trail.end(),
                                           [&](const Step& step) { return step.slot == probe; });
                    });
}

FlowAnswer ProgramQuestions::needed(const Unit& unit) {
    State& s = *state_;
    std::vector<std::pair<Program, Program>> pairs{{s.program, without(s.program, unit)}};
    if (const auto accepting = analyzer::accepting_only(s.program))
        pairs.emplace_back(*accepting, without(*accepting, unit));
    std::vector<Term> any;
    for (const auto& [with, other] : pairs) {
        const EncodedProgram a = encode(with, s.terms, s.packet, s.ask);
        const EncodedProgram b = encode(other, s.terms, s.packet, s.ask);
        Term differs = s.terms.either(s.terms.differ(a.may_allow, b.may_allow),
                                      s.terms.differ(a.may_deny, b.may_deny));
        // Said aloud: only a flow that the unit may take can be judged otherwise.
        if (any.empty() && !unit.whole_stage)
            differs = s.terms.both(differs, s.decided(unit));
        any.push_back(differs);
    }
    return s.answer(s.terms.any_of(std::move(any)),
                    "is there a flow with another verdict without: " + name_of(s.program, unit),
                    [&](const Flow& flow) {
                        return std::any_of(pairs.begin(), pairs.end(), [&](const auto& pair) {
                            return s.eval(pair.first, flow).verdict !=
                                   s.eval(pair.second, flow).verdict;
                        });
                    });
}

FlowAnswer ProgramQuestions::differs(const Program& other) {
    State& s = *state_;
    // The other program may tell apart ends that this one does not: variables of its own.
    EndVariables variables(s.terms, s.packet, {{&s.ends, {&s.program, &other}}}, s.own);
    const AskEnd ask = [&](decision::PredicateId id, bool source) {
        return variables.ask(id, source);
    };
    const EncodedProgram a = encode(s.program, s.terms, s.packet, ask);
    const EncodedProgram b = encode(other, s.terms, s.packet, ask);
    const Term domain = s.terms.both(s.packet.domain(), variables.domain());
    const Term wanted = s.terms.either(s.terms.differ(a.may_allow, b.may_allow),
                                       s.terms.differ(a.may_deny, b.may_deny));
    Session session(s.terms, domain, s.options); // the other one assumes other ends
    return s.answer(session, variables, wanted,
                    "is there a flow that two programs judge differently", [&](const Flow& flow) {
                        return s.eval(s.program, flow).verdict != s.eval(other, flow).verdict;
                    });
}

} // namespace polecat::smt
