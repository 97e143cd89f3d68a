#include "analyzer/z3/solver.h"

#include <optional>

#include <z3++.h>

namespace polecat::smt {

struct Engine::State {
    z3::context context;
};

Engine::Engine() : state_(std::make_unique<State>()) {}
Engine::~Engine() = default;

struct Solver::State {
    State(const Terms& of, unsigned steps, std::shared_ptr<Engine> shared)
        : terms(of), engine(std::move(shared)), context(engine->state_->context),
          solver(context, "QF_BV") {
        z3::params params(context);
        params.set("rlimit", steps);
        params.set("random_seed", 0u);
        solver.set(params);
    }

    z3::expr constant(const Node& node) {
        if (node.width <= 64)
            return context.bv_val(node.value.low, node.width);
        return z3::concat(context.bv_val(node.value.high, node.width - 64u),
                          context.bv_val(node.value.low, 64));
    }

    z3::expr variable(const Node& node) {
        return node.width == 0 ? context.bool_const(node.name.c_str())
                               : context.bv_const(node.name.c_str(), node.width);
    }

    z3::expr build(const Node& node) {
        const auto at = [&](std::size_t i) { return *known[node.arguments[i].value]; };
        switch (node.op) {
        case Op::Variable:
            return variable(node);
        case Op::Constant:
            return constant(node);
        case Op::Not:
            return !at(0);
        case Op::Equal:
            return at(0) == at(1);
        case Op::Less:
            return z3::ult(at(0), at(1));
        case Op::Extract:
            return at(0).extract(node.first_bit + node.width - 1u, node.first_bit);
        case Op::And:
        case Op::Or: {
            z3::expr_vector parts(context);
            for (std::size_t i = 0; i < node.arguments.size(); ++i)
                parts.push_back(at(i));
            return node.op == Op::And ? z3::mk_and(parts) : z3::mk_or(parts);
        }
        case Op::True:
            break;
        }
        return context.bool_val(true);
    }

    z3::expr translate(Term term) {
        known.resize(terms.size());
        if (!known[term.value])
            for (const Term each : terms.below({term}))
                if (!known[each.value])
                    known[each.value] = build(terms[each]);
        return *known[term.value];
    }

    Bits value_of(const z3::model& model, Term term) {
        const z3::expr value = model.eval(*known[term.value], true);
        const unsigned width = terms[term].width;
        if (width == 0)
            return {0, value.is_true() ? 1u : 0u};
        const auto part = [&](unsigned high, unsigned low) {
            return value.extract(high, low).simplify().get_numeral_uint64();
        };
        return width <= 64 ? Bits{0, value.get_numeral_uint64()}
                           : Bits{part(width - 1, 64), part(63, 0)};
    }

    Answer check(Term term) {
        Answer out;
        const z3::expr wanted = translate(term);
        solver.push();
        solver.add(wanted);
        const z3::check_result result = solver.check();
        if (result == z3::sat) {
            out.kind = Answer::Kind::Yes;
            const z3::model model = solver.get_model();
            for (std::uint32_t i = 0; i < known.size(); ++i)
                if (known[i] && terms[Term{i}].op == Op::Variable)
                    out.model.emplace(Term{i}, value_of(model, Term{i}));
        } else if (result == z3::unsat) {
            out.kind = Answer::Kind::No;
        } else {
            out.reason = solver.reason_unknown();
        }
        solver.pop();
        return out;
    }

    const Terms& terms;
    const std::shared_ptr<Engine> engine;
    z3::context& context;
    z3::solver solver;
    std::vector<std::optional<z3::expr>> known; ///< by term
};

Solver::Solver(const Terms& terms, unsigned steps, std::shared_ptr<Engine> engine)
    : state_(std::make_unique<State>(terms, steps, std::move(engine))) {}
Solver::~Solver() = default;

void Solver::assume(Term term) {
    state_->solver.add(state_->translate(term));
}

Answer Solver::check(Term term) {
    try {
        return state_->check(term);
    } catch (const z3::exception& failure) {
        Answer out;
        out.reason = failure.msg();
        return out;
    }
}

} // namespace polecat::smt
