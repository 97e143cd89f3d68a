/// Formulas over bit-vectors and truth values (SMT-LIB's QF_BV), as far as decision programs need
/// them. One graph is printed as SMT-LIB, translated for Z3 and evaluated here, so that what is
/// written out is what was asked.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "support/id.h"

namespace polecat::smt {

using Term = Id<struct TermTag>;

/// A value of at most 128 bits.
struct Bits {
    std::uint64_t high = 0, low = 0;
    auto operator<=>(const Bits&) const = default;
};

enum class Op : std::uint8_t {
    True,
    Variable,
    Constant,
    Not,     ///< one truth value
    And,     ///< two or more, sorted and distinct
    Or,      ///< two or more, sorted and distinct
    Equal,   ///< two bit-vectors of one width
    Less,    ///< two bit-vectors of one width, without sign
    Extract, ///< bits `first_bit` to first_bit + width - 1
};

struct Node {
    Op op = Op::True;
    std::uint16_t width = 0; ///< in bits; 0: a truth value
    std::uint16_t first_bit = 0;
    std::vector<Term> arguments;
    Bits value;       ///< of a constant
    std::string name; ///< of a variable
    auto operator<=>(const Node&) const = default;
};

/// Values of variables; those that are not listed are 0.
using Model = std::map<Term, Bits>;

/// Owns terms; equal terms have one number. Arguments have lower numbers than what is made of them.
class Terms {
  public:
    Terms();

    Term truth(bool value) { return value ? true_ : false_; }
    bool is_false(Term term) const { return term == false_; }
    /// width 0: a truth value. The same name is the same variable.
    Term variable(const std::string& name, unsigned width);
    Term constant(Bits value, unsigned width);
    Term number(std::uint64_t value, unsigned width) { return constant({0, value}, width); }
    Term negate(Term term);
    Term all_of(std::vector<Term> terms);
    Term any_of(std::vector<Term> terms);
    Term both(Term a, Term b) { return all_of({a, b}); }
    Term either(Term a, Term b) { return any_of({a, b}); }
    Term except(Term a, Term b) { return both(a, negate(b)); }
    Term differ(Term a, Term b); ///< of truth values
    Term equal(Term a, Term b);  ///< of bit-vectors
    Term less(Term a, Term b);
    Term at_most(Term a, Term b) { return negate(less(b, a)); }
    Term extract(Term term, unsigned first_bit, unsigned width);
    /// first <= term <= last, without tests that hold anyway.
    Term in_range(Term term, Bits first, Bits last);

    const Node& operator[](Term term) const { return nodes_[term.value]; }
    std::size_t size() const { return nodes_.size(); }
    /// Every variable and operation below these, each before what uses it.
    std::vector<Term> below(const std::vector<Term>& roots) const;
    /// Equal for equal formulas, also of different graphs.
    std::string key(const std::vector<Term>& roots) const;
    /// What the term is under the model; a truth value is 0 or 1.
    Bits evaluate(Term term, const Model& model) const;
    bool holds(Term term, const Model& model) const { return evaluate(term, model).low != 0; }

  private:
    Term intern(Node node);
    Term join(Op op, std::vector<Term> terms);
    bool is(Term term, Op op) const { return nodes_[term.value].op == op; }
    Bits compute(const Node& node, const std::vector<Bits>& values, const Model& model,
                 Term self) const;

    std::vector<Node> nodes_;
    std::map<Node, Term> numbers_;
    Term true_, false_;
};

/// All ones.
Bits last_value(unsigned width);

} // namespace polecat::smt
