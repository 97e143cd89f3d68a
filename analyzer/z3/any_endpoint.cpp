#include "analyzer/z3/any_endpoint.h"

#include <algorithm>

#include "analyzer/z3/any_end.h"

namespace polecat::smt {

using analyzer::RuleKey;
using decision::Flow;
using decision::Step;

namespace {

using Part = AnyProgram::Part;

/// One rule in one IP family.
class Question {
  public:
    Question(const decision::PolicyRules& policies, const AnyProgram& program,
             const analyzer::HttpAtoms& requests, net::Family family, const QueryOptions& options)
        : predicates_(policies.rules.predicates), program_(program),
          packet_(terms_, requests, family), subjects_(terms_, program.subjects()),
          source_(end(family, true)), destination_(end(family, false)), options_(options) {}

    AnyAnswer ask(const std::string& about) {
        if (!subjects_.are_cut() || !source_.are_cut() || !destination_.are_cut())
            return {Answer::Kind::Unknown, {}, "selectors have too many tests of one label"};
        endpoint_ = subjects_.make("endpoint");
        forwarded_ = program_.parts().back().forwarded_too
                         ? terms_.variable("packet is forwarded", 0)
                         : terms_.truth(false);
        const Term given = terms_.all_of({packet_.domain(), source_.domain(), destination_.domain(),
                                          subjects_.domain(endpoint_),
                                          subjects_.matches(program_.own().subject, endpoint_)});
        const Term decides = program_.decides(
            terms_, packet_,
            [&](decision::PredicateId id, bool source) {
                return (source ? source_ : destination_).ask(id);
            },
            [&](const Part& part) { return present(part); });
        Session session(terms_, given, options_);
        const Answer any = session.ask(decides, about);
        if (any.kind != Answer::Kind::Yes)
            return {any.kind, {}, any.reason};
        // To be shown between two addresses: at one both ends would have to be the same objects.
        const Term to_itself = terms_.equal(source_.address(), destination_.address());
        const Answer usual =
            session.ask(terms_.except(decides, to_itself), about + "\n(between two addresses)");
        if (usual.kind == Answer::Kind::No)
            return {Answer::Kind::Unknown, {}, "only for what an address sends to itself"};
        return replayed(usual, about);
    }

  private:
    AnyEnd end(net::Family family, bool source) {
        return AnyEnd(terms_, packet_, predicates_, family, source,
                      predicates_of(program_.matches(), source));
    }

    Term present(const Part& part) {
        const Term selected = subjects_.matches(program_.policy(part).subject, endpoint_);
        return part.forwarded_too ? selected : terms_.except(selected, forwarded_);
    }

    /// Has eval agree with what was found.
    AnyAnswer replayed(const Answer& found, const std::string& about) {
        AnyAnswer out{found.kind, {}, found.reason};
        if (found.kind != Answer::Kind::Yes)
            return out;
        decision::World world;
        Flow flow = packet_.flow(found.model);
        flow.source = source_.build(found.model, flow, world);
        flow.destination = destination_.build(found.model, flow, world);
        world.index_addresses();
        AnyWitness witness{subjects_.labels(endpoint_, found.model),
                           terms_.holds(forwarded_, found.model),
                           {},
                           flow};
        for (const decision::Object& object : world.objects)
            witness.peers.push_back(object.labels);
        if (confirmed(witness, world)) {
            out.witness = std::move(witness);
            return out;
        }
        if (subjects_.has_guesses() || source_.has_guesses() || destination_.has_guesses())
            return {Answer::Kind::Unknown, {}, "selectors ask for what labels don't decide"};
        throw Disagreement("eval does not confirm Z3's endpoint and flow: " + about);
    }

    bool confirmed(const AnyWitness& witness, const decision::World& world) const {
        const auto present = [&](const Part& part) {
            return program_.policy(part).subject.matches(witness.endpoint) &&
                   (part.forwarded_too || !witness.forwarded);
        };
        if (!present(program_.parts().back()))
            return false;
        const auto decision =
            decision::eval(program_.program(present), predicates_, world, witness.flow);
        return std::any_of(decision.trail.begin(), decision.trail.end(), [&](const Step& step) {
            return program_.is_rule(step.slot) &&
                   (step.outcome == Step::Outcome::Match || step.outcome == Step::Outcome::Unknown);
        });
    }

    const decision::PredicateStore& predicates_;
    const AnyProgram& program_;
    Terms terms_;
    Packet packet_;
    LabelAtoms subjects_;
    AnyEnd source_, destination_;
    const QueryOptions& options_;
    LabelAtoms::LabelSet endpoint_;
    Term forwarded_;
};

} // namespace

AnyEndpoint::AnyEndpoint(const decision::PolicyRules& policies, QueryOptions options)
    : policies_(policies), requests_({&policies.rules}), options_(std::move(options)) {}

AnyAnswer AnyEndpoint::ask(const RuleKey& rule, net::Family family, const Scope& scope) {
    const AnyProgram program(policies_, rule, family, scope);
    if (!program.has_rule())
        return {Answer::Kind::No, {}, {}};
    const std::string about =
        "is there an endpoint that could exist with a flow that " + analyzer::to_string(rule) +
        " matches" + (scope.alone ? ", " : " and nothing before it takes, ") +
        std::string(net::to_string(family)) +
        (scope.takers ? "\n(only rules that take some of its flows are looked at, and Pass)" : "");
    return Question(policies_, program, requests_, family, options_).ask(about);
}

AnyAnswer AnyEndpoint::matches(const RuleKey& rule) {
    AnyAnswer out = ask(rule, net::Family::V4, {true, {}});
    return out.kind == Answer::Kind::No ? ask(rule, net::Family::V6, {true, {}}) : out;
}

AnyAnswer AnyEndpoint::decides(const RuleKey& rule, const std::vector<RuleKey>& takers) {
    AnyAnswer out{Answer::Kind::No, {}, {}};
    const std::set<RuleKey> few(takers.begin(), takers.end());
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        if (!few.empty() && ask(rule, family, {false, few}).kind == Answer::Kind::No)
            continue;
        AnyAnswer here = ask(rule, family, {});
        if (here.kind == Answer::Kind::Yes)
            return here;
        if (here.kind == Answer::Kind::Unknown)
            out = std::move(here);
    }
    return out;
}

} // namespace polecat::smt
