#include "ir/selector/selector.h"

#include <algorithm>

#include "support/sha2.h"

namespace polecat::selector {

namespace {

auto lower_bound(std::vector<Labels::Pair>& pairs, std::string_view key) {
    return std::lower_bound(
        pairs.begin(), pairs.end(), key,
        [](const Labels::Pair& pair, std::string_view k) { return pair.first < k; });
}

} // namespace

Labels::Labels(std::vector<Pair> pairs) {
    if (pairs.empty())
        return;
    // Stable, so that of equal keys the last given is the last; then that one is kept.
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const Pair& a, const Pair& b) { return a.first < b.first; });
    std::vector<Pair> kept;
    kept.reserve(pairs.size());
    for (Pair& pair : pairs)
        if (!kept.empty() && kept.back().first == pair.first)
            kept.back() = std::move(pair);
        else
            kept.push_back(std::move(pair));
    kept.shrink_to_fit();
    pairs_ = std::make_shared<std::vector<Pair>>(std::move(kept));
}

const std::vector<Labels::Pair>& Labels::pairs() const {
    static const std::vector<Pair> kNone;
    return pairs_ ? *pairs_ : kNone;
}

std::vector<Labels::Pair>& Labels::own_pairs() {
    if (!pairs_)
        pairs_ = std::make_shared<std::vector<Pair>>();
    else if (pairs_.use_count() > 1)
        pairs_ = std::make_shared<std::vector<Pair>>(*pairs_);
    return *pairs_;
}

std::strong_ordering Labels::operator<=>(const Labels& other) const {
    return pairs_ == other.pairs_ ? std::strong_ordering::equal : pairs() <=> other.pairs();
}

bool Labels::operator==(const Labels& other) const {
    return pairs_ == other.pairs_ || pairs() == other.pairs();
}

const std::string* Labels::find(std::string_view key) const {
    const auto it = std::lower_bound(
        begin(), end(), key, [](const Pair& pair, std::string_view k) { return pair.first < k; });
    return it != end() && it->first == key ? &it->second : nullptr;
}

void Labels::set(std::string key, std::string value) {
    auto& pairs = own_pairs();
    const auto it = lower_bound(pairs, key);
    if (it != pairs.end() && it->first == key)
        it->second = std::move(value);
    else
        pairs.emplace(it, std::move(key), std::move(value));
}

void Labels::set_default(std::string key, std::string value) {
    if (find(key) == nullptr)
        set(std::move(key), std::move(value));
}

void Labels::erase(std::string_view key) {
    if (find(key) == nullptr)
        return;
    auto& pairs = own_pairs();
    pairs.erase(lower_bound(pairs, key));
}

namespace {

std::shared_ptr<const Term> make(Op op, std::string label = {},
                                 std::vector<std::string> values = {},
                                 std::vector<Selector> children = {}) {
    return std::make_shared<const Term>(
        Term{op, std::move(label), std::move(values), std::move(children)});
}

std::vector<std::string> distinct(std::vector<std::string> values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

} // namespace

Selector::Selector() {
    static const std::shared_ptr<const Term> all = make(Op::All);
    term_ = all;
}

Selector Selector::all() {
    return {};
}
Selector Selector::global() {
    return Selector(make(Op::Global));
}
Selector Selector::has(std::string label) {
    return Selector(make(Op::Has, std::move(label)));
}

Selector Selector::equal(std::string label, std::string value) {
    return Selector(make(Op::Equal, std::move(label), {std::move(value)}));
}

Selector Selector::not_equal(std::string label, std::string value) {
    return Selector(make(Op::NotEqual, std::move(label), {std::move(value)}));
}

Selector Selector::in(std::string label, std::vector<std::string> values) {
    return Selector(make(Op::In, std::move(label), distinct(std::move(values))));
}

Selector Selector::not_in(std::string label, std::vector<std::string> values) {
    return Selector(make(Op::NotIn, std::move(label), distinct(std::move(values))));
}

Selector Selector::contains(std::string label, std::string value) {
    return Selector(make(Op::Contains, std::move(label), {std::move(value)}));
}

Selector Selector::starts_with(std::string label, std::string value) {
    return Selector(make(Op::StartsWith, std::move(label), {std::move(value)}));
}

Selector Selector::ends_with(std::string label, std::string value) {
    return Selector(make(Op::EndsWith, std::move(label), {std::move(value)}));
}

Selector Selector::negate(Selector inner) {
    return Selector(make(Op::Not, {}, {}, {std::move(inner)}));
}

Selector Selector::all_of(std::vector<Selector> operands) {
    if (operands.empty())
        return all();
    if (operands.size() == 1)
        return operands.front();
    return Selector(make(Op::And, {}, {}, std::move(operands)));
}

Selector Selector::any_of(std::vector<Selector> operands) {
    if (operands.size() == 1)
        return operands.front();
    return Selector(make(Op::Or, {}, {}, std::move(operands)));
}

bool Selector::is_all() const {
    return term_->op == Op::All;
}

bool Selector::matches(const Labels& labels) const {
    const Term& t = *term_;
    const auto value = [&] { return labels.find(t.label); };
    const auto child = [&](const Selector& each) { return each.matches(labels); };
    switch (t.op) {
    case Op::All:
    case Op::Global:
        return true;
    case Op::Has:
        return value() != nullptr;
    case Op::Equal:
        return value() != nullptr && *value() == t.values.front();
    case Op::NotEqual:
        return value() == nullptr || *value() != t.values.front();
    case Op::In:
        return value() != nullptr && std::binary_search(t.values.begin(), t.values.end(), *value());
    case Op::NotIn:
        return value() == nullptr ||
               !std::binary_search(t.values.begin(), t.values.end(), *value());
    case Op::Contains:
        return value() != nullptr && value()->find(t.values.front()) != std::string::npos;
    case Op::StartsWith:
        return value() != nullptr && value()->starts_with(t.values.front());
    case Op::EndsWith:
        return value() != nullptr && value()->ends_with(t.values.front());
    case Op::Not:
        return !t.children.front().matches(labels);
    case Op::And:
        return std::all_of(t.children.begin(), t.children.end(), child);
    case Op::Or:
        return std::any_of(t.children.begin(), t.children.end(), child);
    }
    return false;
}

namespace {

std::string quoted(const std::string& value) {
    const char quote = value.find('"') == std::string::npos ? '"' : '\'';
    return quote + value + quote;
}

void print(const Selector& selector, std::string& out);

void print_joined(const Term& t, std::string_view separator, std::string& out) {
    out += '(';
    for (std::size_t i = 0; i < t.children.size(); ++i) {
        if (i > 0)
            out += separator;
        print(t.children[i], out);
    }
    out += ')';
}

void print_set(const Term& t, std::string_view word, std::string& out) {
    out += t.label;
    out += word;
    out += '{';
    for (std::size_t i = 0; i < t.values.size(); ++i)
        out += (i > 0 ? ", " : "") + quoted(t.values[i]);
    out += '}';
}

void print(const Selector& selector, std::string& out) {
    const Term& t = selector.term();
    const auto binary = [&](const char* word) { out += t.label + word + quoted(t.values.front()); };
    switch (t.op) {
    case Op::All:
        out += "all()";
        break;
    case Op::Global:
        out += "global()";
        break;
    case Op::Has:
        out += "has(" + t.label + ")";
        break;
    case Op::Equal:
        return binary(" == ");
    case Op::NotEqual:
        return binary(" != ");
    case Op::Contains:
        return binary(" contains ");
    case Op::StartsWith:
        return binary(" starts with ");
    case Op::EndsWith:
        return binary(" ends with ");
    case Op::In:
        return print_set(t, " in ", out);
    case Op::NotIn:
        return print_set(t, " not in ", out);
    case Op::Not:
        out += '!';
        return print(t.children.front(), out);
    case Op::And:
        return print_joined(t, " && ", out);
    case Op::Or:
        return print_joined(t, " || ", out);
    }
}

} // namespace

std::string Selector::canonical() const {
    std::string out;
    print(*this, out);
    return out;
}

std::string Selector::unique_id() const {
    const auto hash = sha224("s:" + canonical());
    return "s:" + base64url(hash.data(), hash.size());
}

Selector Selector::with_prefix(std::string_view prefix) const {
    Term copy = *term_;
    if (!copy.label.empty())
        copy.label = std::string(prefix) + copy.label;
    for (Selector& child : copy.children)
        child = child.with_prefix(prefix);
    return Selector(std::make_shared<const Term>(std::move(copy)));
}

Selector Selector::replace(const Selector& for_all, const Selector& for_global) const {
    if (term_->op == Op::All)
        return for_all;
    if (term_->op == Op::Global)
        return for_global;
    if (term_->children.empty())
        return *this;
    Term copy = *term_;
    for (Selector& child : copy.children)
        child = child.replace(for_all, for_global);
    if (copy.op == Op::Not)
        return negate(copy.children.front());
    return Selector(std::make_shared<const Term>(std::move(copy)));
}

bool Selector::mentions(Op op) const {
    return term_->op == op || std::any_of(term_->children.begin(), term_->children.end(),
                                          [&](const Selector& each) { return each.mentions(op); });
}

bool Selector::operator==(const Selector& other) const {
    if (term_ == other.term_)
        return true;
    const Term &a = *term_, &b = *other.term_;
    return a.op == b.op && a.label == b.label && a.values == b.values && a.children == b.children;
}

} // namespace polecat::selector
