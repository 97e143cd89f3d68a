#include "analyzer/z3/session.h"

#include "analyzer/z3/smtlib.h"

namespace polecat::smt {

Answer Session::find(Term wanted) {
    if (terms_.is_false(wanted) || terms_.is_false(given_))
        return {Answer::Kind::No, {}, {}};
    std::string key = terms_.key({given_, wanted});
    if (options_.engine->refuted.contains(key))
        return {Answer::Kind::No, {}, {}};
    if (!solver_) {
        solver_.emplace(terms_, options_.steps, options_.engine);
        solver_->assume(given_);
    }
    Answer out = solver_->check(wanted);
    if (out.kind == Answer::Kind::No)
        options_.engine->refuted.insert(std::move(key));
    return out;
}

Answer Session::ask(Term wanted, const std::string& about) {
    Answer out = find(wanted);
    if (options_.sink)
        options_.sink(about, to_smtlib(terms_, {given_, wanted}, about,
                                       out.kind == Answer::Kind::Yes  ? "sat"
                                       : out.kind == Answer::Kind::No ? "unsat"
                                                                      : "unknown"));
    if (out.kind == Answer::Kind::Yes &&
        !(terms_.holds(given_, out.model) && terms_.holds(wanted, out.model)))
        throw Disagreement("Z3's model does not satisfy what was asked: " + about);
    return out;
}

} // namespace polecat::smt
