#include <algorithm>
#include <map>

#include "ir/selector/selector.h"

namespace polecat::selector {

namespace {

using ByLabel = std::map<std::string, Restriction>;

/// Both hold.
Restriction meet(const Restriction& a, const Restriction& b) {
    Restriction out = a;
    out.must_be_present |= b.must_be_present;
    out.must_be_absent |= b.must_be_absent;
    if (a.one_of && b.one_of) {
        std::vector<std::string> common;
        std::set_intersection(a.one_of->begin(), a.one_of->end(), b.one_of->begin(),
                              b.one_of->end(), std::back_inserter(common));
        out.one_of = std::move(common);
    } else if (b.one_of) {
        out.one_of = b.one_of;
    }
    return out;
}

/// One of both holds; nothing that only one of them says.
Restriction join(const Restriction& a, const Restriction& b) {
    Restriction out = a;
    out.must_be_present &= b.must_be_present;
    out.must_be_absent &= b.must_be_absent;
    if (a.one_of && b.one_of) {
        std::vector<std::string> either;
        std::set_union(a.one_of->begin(), a.one_of->end(), b.one_of->begin(), b.one_of->end(),
                       std::back_inserter(either));
        out.one_of = std::move(either);
    } else {
        out.one_of.reset();
    }
    return out;
}

ByLabel of(const Selector& selector);

ByLabel of_any(const std::vector<Selector>& branches) {
    ByLabel out = of(branches.front());
    for (std::size_t i = 1; i < branches.size() && !out.empty(); ++i) {
        const ByLabel branch = of(branches[i]);
        for (auto it = out.begin(); it != out.end();) {
            const auto other = branch.find(it->first);
            if (other == branch.end()) {
                it = out.erase(it);
                continue;
            }
            it->second = join(it->second, other->second);
            const bool says = it->second.must_be_present || it->second.must_be_absent ||
                              it->second.one_of.has_value();
            it = says ? std::next(it) : out.erase(it);
        }
    }
    return out;
}

ByLabel of(const Selector& selector) {
    const Term& t = selector.term();
    ByLabel out;
    switch (t.op) {
    case Op::Equal:
    case Op::In:
        out[t.label] = {t.label, true, false, t.values};
        break;
    case Op::Has:
    case Op::Contains:
    case Op::StartsWith:
    case Op::EndsWith:
        out[t.label] = {t.label, true, false, std::nullopt};
        break;
    case Op::Not:
        // Only the absence of a label is told from a negation.
        if (t.children.front().term().op == Op::Has)
            out[t.children.front().term().label] = {t.children.front().term().label, false, true,
                                                    std::nullopt};
        break;
    case Op::And:
        for (const Selector& child : t.children)
            for (const auto& [label, each] : of(child)) {
                const auto [it, fresh] = out.emplace(label, each);
                if (!fresh)
                    it->second = meet(it->second, each);
            }
        break;
    case Op::Or:
        return of_any(t.children);
    default:
        break;
    }
    return out;
}

} // namespace

std::vector<Restriction> restrictions(const Selector& selector) {
    std::vector<Restriction> out;
    for (auto& [label, each] : of(selector))
        out.push_back(std::move(each));
    return out;
}

} // namespace polecat::selector
