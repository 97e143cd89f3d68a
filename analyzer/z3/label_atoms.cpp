#include "analyzer/z3/label_atoms.h"

#include <algorithm>

#include "analyzer/labels/label_space.h"
#include "analyzer/z3/packet.h"

namespace polecat::smt {

using selector::Selector;

LabelAtoms::LabelAtoms(Terms& terms, const std::vector<Selector>& selectors) : terms_(terms) {
    std::vector<Selector> decided;
    for (const Selector& each : selectors)
        collect(each, decided);
    auto keys = analyzer::label_keys(decided);
    cut_ = keys.has_value();
    if (keys)
        keys_ = std::move(*keys);
}

LabelAtoms::LabelSet LabelAtoms::make(const std::string& name) {
    LabelSet out{name, {}};
    for (const analyzer::LabelKey& key : keys_)
        out.values.push_back(
            terms_.variable(name + " label " + key.label, bits_for(key.values.size())));
    return out;
}

Term LabelAtoms::domain(const LabelSet& set) {
    std::vector<Term> parts;
    for (std::size_t i = 0; i < keys_.size(); ++i)
        parts.push_back(terms_.in_range(set.values[i], {}, Bits{0, keys_[i].values.size() - 1}));
    return terms_.all_of(std::move(parts));
}

void LabelAtoms::collect(const Selector& selector, std::vector<Selector>& decided) {
    for (const Selector& child : selector.term().children)
        collect(child, decided);
    if (selector.term().label.empty())
        return;
    if (analyzer::is_decided(selector))
        decided.push_back(selector);
    else
        guesses_ = true;
}

Term LabelAtoms::matches(const Selector& selector, const LabelSet& set) {
    const selector::Term& term = selector.term();
    std::vector<Term> parts;
    for (const Selector& child : term.children)
        parts.push_back(matches(child, set));
    switch (term.op) {
    case selector::Op::All:
    case selector::Op::Global:
        return terms_.truth(true);
    case selector::Op::Not:
        return terms_.negate(parts.front());
    case selector::Op::And:
        return terms_.all_of(std::move(parts));
    case selector::Op::Or:
        return terms_.any_of(std::move(parts));
    default:
        return leaf(selector, set);
    }
}

/// The selector itself is asked of each class of values.
Term LabelAtoms::leaf(const Selector& selector, const LabelSet& set) {
    if (!analyzer::is_decided(selector))
        return terms_.variable(set.name + " matches " + selector.canonical(), 0);
    const std::string& label = selector.term().label;
    const auto key = std::find_if(keys_.begin(), keys_.end(),
                                  [&](const auto& each) { return each.label == label; });
    const Term value = set.values[static_cast<std::size_t>(key - keys_.begin())];
    std::vector<Term> yes, no;
    for (std::size_t i = 0; i < key->values.size(); ++i) {
        selector::Labels one;
        if (key->values[i])
            one.set(label, *key->values[i]);
        auto& into = selector.matches(one) ? yes : no;
        into.push_back(terms_.equal(value, terms_.number(i, terms_[value].width)));
    }
    return yes.size() <= no.size() ? terms_.any_of(std::move(yes))
                                   : terms_.negate(terms_.any_of(std::move(no)));
}

selector::Labels LabelAtoms::labels(const LabelSet& set, const Model& model) const {
    selector::Labels out;
    for (std::size_t i = 0; i < keys_.size(); ++i)
        if (const auto& value = keys_[i].values[terms_.evaluate(set.values[i], model).low])
            out.set(keys_[i].label, *value);
    return out;
}

} // namespace polecat::smt
