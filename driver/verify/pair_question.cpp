#include "driver/verify/pair_question.h"

#include <tuple>

#include "analyzer/flows/program_view.h"

namespace polecat::driver {

using decision::Program;
using smt::Term;

PairQuestion::PairQuestion(const smt::ExistingEnds& ends, const Program& policy,
                           RulesFormula& rules, const AskedOwn& own)
    : policy_(policy), rules_(rules),
      own_is_source_(policy.direction == decision::Direction::Egress),
      packet_(terms_, requests_, policy.family),
      variables_(terms_, packet_, {{&ends, {&policy}}}, own.objects, marks(ends)) {}

smt::Answer PairQuestion::ask(const smt::QueryOptions& options, const std::string& about,
                              bool tells) {
    const RulesFormula::Question question{terms_, packet_, variables_, own_is_source_};
    const Term given =
        terms_.all_of({packet_.domain(), variables_.with_itself(), rules_.is_own(question),
                       terms_.negate(variables_.has_mark(kNowhere, !own_is_source_))});
    Term wanted = terms_.differ(rules_.passes(question, false), allows(policy_));
    const auto accepting = analyzer::accepting_only(policy_);
    if (accepting && tells)
        wanted =
            terms_.either(wanted, terms_.differ(rules_.passes(question, true), allows(*accepting)));
    smt::Session session(terms_, given, options);
    return session.ask(wanted, about);
}

decision::Flow PairQuestion::flow(const smt::Model& model) const {
    decision::Flow out = packet_.flow(model);
    std::tie(out.source, out.destination) = variables_.ends(model);
    return out;
}

smt::EndVariables::Marks PairQuestion::marks(const smt::ExistingEnds& ends) const {
    std::vector<std::uint32_t> own, peer;
    for (std::size_t i = 0; i < ends.spots().size(); ++i) {
        own.push_back(rules_.mark(i, true));
        peer.push_back(rules_.mark(i, false));
    }
    return own_is_source_ ? smt::EndVariables::Marks{std::move(own), std::move(peer)}
                          : smt::EndVariables::Marks{std::move(peer), std::move(own)};
}

/// What is not known to be allowed is not.
Term PairQuestion::allows(const Program& program) {
    const smt::EncodedProgram encoded =
        encode(program, terms_, packet_,
               [&](decision::PredicateId id, bool source) { return variables_.ask(id, source); });
    return terms_.except(encoded.may_allow, encoded.may_deny);
}

} // namespace polecat::driver
