#include "analyzer/z3/smtlib.h"

#include <fmt/format.h>

namespace polecat::smt {

namespace {

std::string sort_of(const Node& node) {
    return node.width == 0 ? "Bool" : fmt::format("(_ BitVec {})", node.width);
}

std::string binary(Bits value, unsigned width) {
    std::string out = "#b";
    for (unsigned i = width; i-- > 0;)
        out += ((i >= 64 ? value.high >> (i - 64) : value.low >> i) & 1) != 0 ? '1' : '0';
    return out;
}

/// Quoted symbols may hold anything but | and \.
std::string symbol(const std::string& name) {
    std::string out = "|";
    for (const char c : name)
        out += c == '|' || c == '\\' ? '_' : c;
    return out + "|";
}

/// What stands for a term where it is used.
std::string name_of(const Terms& terms, Term term) {
    const Node& node = terms[term];
    switch (node.op) {
    case Op::True:
        return "true";
    case Op::Variable:
        return symbol(node.name);
    case Op::Constant:
        return binary(node.value, node.width);
    default:
        return fmt::format("t{}", term.value);
    }
}

std::string_view operation(Op op) {
    switch (op) {
    case Op::Not:
        return "not";
    case Op::And:
        return "and";
    case Op::Or:
        return "or";
    case Op::Equal:
        return "=";
    case Op::Less:
        return "bvult";
    default:
        return "";
    }
}

std::string body_of(const Terms& terms, Term term) {
    const Node& node = terms[term];
    std::string out =
        node.op == Op::Extract
            ? fmt::format("((_ extract {} {})", node.first_bit + node.width - 1, node.first_bit)
            : fmt::format("({}", operation(node.op));
    for (const Term argument : node.arguments)
        out += " " + name_of(terms, argument);
    return out + ")";
}

} // namespace

std::string to_smtlib(const Terms& terms, const std::vector<Term>& asserted,
                      const std::string& about, const std::string& status) {
    std::string out;
    for (std::size_t at = 0; at <= about.size();) {
        const std::size_t end = std::min(about.find('\n', at), about.size());
        out += "; " + about.substr(at, end - at) + "\n";
        at = end + 1;
    }
    out += "(set-logic QF_BV)\n(set-info :status " + status + ")\n";
    for (const Term term : terms.below(asserted)) {
        const Node& node = terms[term];
        if (node.op == Op::Variable)
            out += fmt::format("(declare-fun {} () {})\n", symbol(node.name), sort_of(node));
        else if (node.op != Op::True && node.op != Op::Constant)
            out += fmt::format("(define-fun t{} () {} {})\n", term.value, sort_of(node),
                               body_of(terms, term));
    }
    for (const Term term : asserted)
        out += "(assert " + name_of(terms, term) + ")\n";
    return out + "(check-sat)\n";
}

} // namespace polecat::smt
