#include "analyzer/z3/formula.h"

#include <algorithm>

namespace polecat::smt {

namespace {

/// Drops the lowest bits.
Bits shifted(Bits value, unsigned by) {
    if (by == 0)
        return value;
    if (by >= 64)
        return {0, by == 64 ? value.high : value.high >> (by - 64)};
    return {value.high >> by, (value.low >> by) | (value.high << (64 - by))};
}

Bits cut(Bits value, unsigned width) {
    const Bits mask = last_value(width);
    return {value.high & mask.high, value.low & mask.low};
}

} // namespace

Bits last_value(unsigned width) {
    const auto ones = [](unsigned count) {
        return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
    };
    return width > 64 ? Bits{ones(width - 64), ones(64)} : Bits{0, ones(width)};
}

Terms::Terms() {
    true_ = intern(Node{});
    Node node;
    node.op = Op::Not;
    node.arguments = {true_};
    false_ = intern(std::move(node));
}

Term Terms::intern(Node node) {
    const auto [place, added] =
        numbers_.try_emplace(std::move(node), Term{static_cast<std::uint32_t>(nodes_.size())});
    if (added)
        nodes_.push_back(place->first);
    return place->second;
}

Term Terms::variable(const std::string& name, unsigned width) {
    Node node;
    node.op = Op::Variable;
    node.width = static_cast<std::uint16_t>(width);
    node.name = name;
    return intern(std::move(node));
}

Term Terms::constant(Bits value, unsigned width) {
    Node node;
    node.op = Op::Constant;
    node.width = static_cast<std::uint16_t>(width);
    node.value = cut(value, width);
    return intern(std::move(node));
}

Term Terms::negate(Term term) {
    if (is(term, Op::Not))
        return nodes_[term.value].arguments.front();
    Node node;
    node.op = Op::Not;
    node.arguments = {term};
    return intern(std::move(node));
}

Term Terms::join(Op op, std::vector<Term> terms) {
    const Term neutral = truth(op == Op::And), decisive = truth(op != Op::And);
    std::sort(terms.begin(), terms.end());
    terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
    std::erase(terms, neutral);
    for (const Term each : terms)
        if (each == decisive ||
            (is(each, Op::Not) &&
             std::binary_search(terms.begin(), terms.end(), (*this)[each].arguments.front())))
            return decisive;
    if (terms.empty())
        return neutral;
    if (terms.size() == 1)
        return terms.front();
    Node node;
    node.op = op;
    node.arguments = std::move(terms);
    return intern(std::move(node));
}

Term Terms::all_of(std::vector<Term> terms) {
    return join(Op::And, std::move(terms));
}

Term Terms::any_of(std::vector<Term> terms) {
    return join(Op::Or, std::move(terms));
}

Term Terms::differ(Term a, Term b) {
    return a == b ? false_ : either(except(a, b), except(b, a));
}

Term Terms::equal(Term a, Term b) {
    if (a == b)
        return true_;
    if (is(a, Op::Constant) && is(b, Op::Constant))
        return false_; // equal ones have one number
    Node node;
    node.op = Op::Equal;
    node.arguments = {std::min(a, b), std::max(a, b)};
    return intern(std::move(node));
}

Term Terms::less(Term a, Term b) {
    if (a == b)
        return false_;
    if (is(a, Op::Constant) && is(b, Op::Constant))
        return truth(nodes_[a.value].value < nodes_[b.value].value);
    Node node;
    node.op = Op::Less;
    node.arguments = {a, b};
    return intern(std::move(node));
}

Term Terms::extract(Term term, unsigned first_bit, unsigned width) {
    if (first_bit == 0 && width == nodes_[term.value].width)
        return term;
    Node node;
    node.op = Op::Extract;
    node.width = static_cast<std::uint16_t>(width);
    node.first_bit = static_cast<std::uint16_t>(first_bit);
    node.arguments = {term};
    return intern(std::move(node));
}

Term Terms::in_range(Term term, Bits first, Bits last) {
    const unsigned width = nodes_[term.value].width;
    if (first == last)
        return equal(term, constant(first, width));
    std::vector<Term> tests;
    if (first != Bits{})
        tests.push_back(at_most(constant(first, width), term));
    if (last != last_value(width))
        tests.push_back(at_most(term, constant(last, width)));
    return all_of(std::move(tests));
}

std::vector<Term> Terms::below(const std::vector<Term>& roots) const {
    std::vector<bool> seen(nodes_.size(), false);
    std::vector<Term> open = roots;
    while (!open.empty()) {
        const Term term = open.back();
        open.pop_back();
        if (seen[term.value])
            continue;
        seen[term.value] = true;
        const auto& arguments = nodes_[term.value].arguments;
        open.insert(open.end(), arguments.begin(), arguments.end());
    }
    std::vector<Term> out;
    for (std::uint32_t i = 0; i < seen.size(); ++i)
        if (seen[i])
            out.push_back(Term{i});
    return out;
}

/// The nodes below the roots, numbered among themselves, and the roots' numbers.
std::string Terms::key(const std::vector<Term>& roots) const {
    std::string out;
    const auto add = [&](std::uint64_t number) {
        for (; number >= 128; number /= 128)
            out += static_cast<char>(number % 128 + 128);
        out += static_cast<char>(number);
    };
    std::vector<std::uint32_t> numbers(nodes_.size());
    std::uint32_t next = 0;
    for (const Term each : below(roots)) {
        const Node& node = nodes_[each.value];
        numbers[each.value] = next++;
        add(static_cast<std::uint64_t>(node.op));
        add(node.width);
        add(node.first_bit);
        add(node.value.high);
        add(node.value.low);
        add(node.name.size());
        out += node.name;
        add(node.arguments.size());
        for (const Term argument : node.arguments)
            add(numbers[argument.value]);
    }
    for (const Term root : roots)
        add(numbers[root.value]);
    return out;
}

Bits Terms::compute(const Node& node, const std::vector<Bits>& values, const Model& model,
                    Term self) const {
    const auto at = [&](std::size_t i) { return values[node.arguments[i].value]; };
    const auto is_true = [&](Term term) { return values[term.value].low != 0; };
    const auto& arguments = node.arguments;
    switch (node.op) {
    case Op::True:
        return {0, 1};
    case Op::Variable: {
        const auto found = model.find(self);
        return found == model.end() ? Bits{} : found->second;
    }
    case Op::Constant:
        return node.value;
    case Op::Not:
        return {0, at(0).low == 0 ? 1u : 0u};
    case Op::And:
        return {0, std::all_of(arguments.begin(), arguments.end(), is_true) ? 1u : 0u};
    case Op::Or:
        return {0, std::any_of(arguments.begin(), arguments.end(), is_true) ? 1u : 0u};
    case Op::Equal:
        return {0, at(0) == at(1) ? 1u : 0u};
    case Op::Less:
        return {0, at(0) < at(1) ? 1u : 0u};
    case Op::Extract:
        return cut(shifted(at(0), node.first_bit), node.width);
    }
    return {};
}

Bits Terms::evaluate(Term term, const Model& model) const {
    std::vector<Bits> values(nodes_.size());
    for (const Term each : below({term}))
        values[each.value] = compute(nodes_[each.value], values, model, each);
    return values[term.value];
}

} // namespace polecat::smt
