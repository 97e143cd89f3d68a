#include "analyzer/labels/label_space.h"

#include <algorithm>
#include <map>

#include "analyzer/labels/label_values.h"
#include "ir/decision/eval.h"
#include "ir/policy/scope.h"

namespace polecat::analyzer {

using decision::Tri;
using selector::Op;
using selector::Selector;

namespace {

void collect(const Selector& selector, std::map<std::string, ValueTests>& keys) {
    const selector::Term& term = selector.term();
    for (const Selector& child : term.children)
        collect(child, keys);
    if (term.label.empty())
        return;
    ValueTests& tests = keys[term.label];
    auto* list = term.op == Op::Contains     ? &tests.contains
                 : term.op == Op::StartsWith ? &tests.starts
                 : term.op == Op::EndsWith   ? &tests.ends
                                             : &tests.equal;
    list->insert(list->end(), term.values.begin(), term.values.end());
}

/// Labels so far: those that are not decided yet are not there.
using Choice = std::map<std::string, std::optional<std::string>, std::less<>>;

Tri matches(const Selector& selector, const Choice& choice) {
    const selector::Term& term = selector.term();
    switch (term.op) {
    case Op::All:
    case Op::Global:
        return Tri::Yes;
    case Op::Not:
        return !matches(term.children.front(), choice);
    case Op::And: {
        Tri out = Tri::Yes;
        for (const Selector& child : term.children)
            out = decision::both(out, matches(child, choice));
        return out;
    }
    case Op::Or: {
        Tri out = Tri::No;
        for (const Selector& child : term.children)
            out = decision::either(out, matches(child, choice));
        return out;
    }
    default:
        break;
    }
    const auto found = choice.find(term.label);
    if (found == choice.end())
        return Tri::Unknown;
    selector::Labels one;
    if (found->second)
        one.set(term.label, *found->second);
    return selector.matches(one) ? Tri::Yes : Tri::No;
}

class Search {
  public:
    Search(const std::vector<Selector>& wanted, const std::vector<Selector>& excluded,
           const std::vector<LabelKey>& keys)
        : wanted_(wanted), excluded_(excluded), keys_(keys) {}

    LabelAnswer run() {
        LabelAnswer out;
        const bool found = place(0);
        if (gave_up_)
            return out;
        out.kind = found ? LabelAnswer::Kind::Yes : LabelAnswer::Kind::No;
        if (found)
            for (const auto& [label, value] : choice_)
                if (value)
                    out.labels.set(label, *value);
        return out;
    }

  private:
    static constexpr std::size_t kMaxSteps = 200'000;

    Tri good() const {
        Tri out = Tri::Yes;
        for (const Selector& each : wanted_)
            out = decision::both(out, matches(each, choice_));
        for (const Selector& each : excluded_)
            out = decision::both(out, !matches(each, choice_));
        return out;
    }

    /// Decides the labels from `at` on. True with choice_ filled when that succeeds.
    bool place(std::size_t at) {
        if (++steps_ > kMaxSteps) {
            gave_up_ = true;
            return false;
        }
        const Tri so_far = good();
        if (so_far != Tri::Unknown)
            return so_far == Tri::Yes;
        if (at == keys_.size())
            return false;
        for (const auto& value : keys_[at].values) {
            choice_[keys_[at].label] = value;
            if (place(at + 1))
                return true;
            if (gave_up_)
                return false;
        }
        choice_.erase(keys_[at].label);
        return false;
    }

    const std::vector<Selector>& wanted_;
    const std::vector<Selector>& excluded_;
    const std::vector<LabelKey>& keys_;
    Choice choice_;
    std::size_t steps_ = 0;
    bool gave_up_ = false;
};

} // namespace

bool is_decided(const Selector& selector) {
    const selector::Term& term = selector.term();
    if (!std::all_of(term.children.begin(), term.children.end(), is_decided))
        return false;
    if (term.op == Op::Contains || term.op == Op::StartsWith || term.op == Op::EndsWith)
        return term.label != policy::kServiceAccountLabel; // a part need be no value
    return std::all_of(term.values.begin(), term.values.end(), is_label_value);
}

std::optional<std::vector<LabelKey>> label_keys(const std::vector<Selector>& selectors) {
    std::map<std::string, ValueTests> tests;
    for (const Selector& each : selectors)
        collect(each, tests);
    std::vector<LabelKey> out;
    for (const auto& [label, of_label] : tests) {
        const auto classes = value_classes(of_label);
        if (!classes)
            return std::nullopt;
        LabelKey key{label, {std::nullopt}};
        key.values.insert(key.values.end(), classes->begin(), classes->end());
        out.push_back(std::move(key));
    }
    return out;
}

LabelAnswer find_labels(const std::vector<Selector>& wanted,
                        const std::vector<Selector>& excluded) {
    std::vector<Selector> all = wanted;
    all.insert(all.end(), excluded.begin(), excluded.end());
    const auto keys = label_keys(all);
    if (!keys)
        return {};
    LabelAnswer out = Search(wanted, excluded, *keys).run();
    // What was found is there; what was not may have a value that no class stands for.
    if (out.kind == LabelAnswer::Kind::No && !std::all_of(all.begin(), all.end(), is_decided))
        out.kind = LabelAnswer::Kind::Unknown;
    return out;
}

} // namespace polecat::analyzer
