#include "ir/selector/selector.h"

#include <algorithm>

#include "support/sha2.h"

namespace polecat::selector {

namespace {

std::vector<Labels::Pair> views_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
    return {pairs.begin(), pairs.end()};
}

/// Sorted by key, the last given of each.
void keep_last(std::vector<Labels::Pair>& pairs) {
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < pairs.size(); ++i)
        if (i + 1 == pairs.size() || pairs[i].first != pairs[i + 1].first)
            pairs[kept++] = pairs[i];
    pairs.resize(kept);
}

} // namespace

Labels::Labels(std::vector<Pair> pairs) {
    keep_last(pairs);
    if (pairs.empty())
        return;
    std::size_t length = 0;
    for (const auto& [key, value] : pairs)
        length += key.size() + value.size();
    const std::size_t head = 1 + 2 * pairs.size();
    const auto shared = std::make_shared<std::uint32_t[]>(head + (length + 3) / 4);
    std::uint32_t* const block = shared.get();
    block[0] = static_cast<std::uint32_t>(pairs.size());
    char* const text = reinterpret_cast<char*>(block + head);
    std::uint32_t end = 0;
    std::size_t at = 1;
    for (const auto& [key, value] : pairs)
        for (const std::string_view part : {key, value}) {
            std::copy(part.begin(), part.end(), text + end);
            block[at++] = end += static_cast<std::uint32_t>(part.size());
        }
    block_ = shared;
}

Labels::Labels(const std::vector<std::pair<std::string, std::string>>& pairs)
    : Labels(views_of(pairs)) {}

const char* Labels::text() const {
    return reinterpret_cast<const char*>(block_.get() + 1 + 2 * size());
}

Labels::Pair Labels::at(std::size_t index) const {
    const std::uint32_t* const ends = block_.get() + 1 + 2 * index;
    const std::uint32_t start = index == 0 ? 0 : ends[-1];
    return {{text() + start, ends[0] - start}, {text() + ends[0], ends[1] - ends[0]}};
}

std::strong_ordering Labels::operator<=>(const Labels& other) const {
    return block_ == other.block_
               ? std::strong_ordering::equal
               : std::lexicographical_compare_three_way(begin(), end(), other.begin(), other.end());
}

bool Labels::operator==(const Labels& other) const {
    return (*this <=> other) == std::strong_ordering::equal;
}

std::optional<std::string_view> Labels::find(std::string_view key) const {
    std::size_t low = 0;
    for (std::size_t high = size(); low < high;) {
        const std::size_t middle = low + (high - low) / 2;
        const Pair pair = at(middle);
        if (pair.first == key)
            return pair.second;
        if (pair.first < key)
            low = middle + 1;
        else
            high = middle;
    }
    return std::nullopt;
}

void Labels::set(std::string_view key, std::string_view value) {
    std::vector<Pair> pairs(begin(), end());
    pairs.emplace_back(key, value);
    *this = Labels(std::move(pairs));
}

void Labels::set_default(std::string_view key, std::string_view value) {
    if (!find(key))
        set(key, value);
}

void Labels::erase(std::string_view key) {
    std::vector<Pair> pairs(begin(), end());
    std::erase_if(pairs, [&](const Pair& pair) { return pair.first == key; });
    *this = Labels(std::move(pairs));
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
    const auto has = [&](auto&& test) {
        const auto value = labels.find(t.label);
        return value && test(*value);
    };
    const auto in_set = [&](std::string_view value) {
        return std::binary_search(t.values.begin(), t.values.end(), value);
    };
    const auto child = [&](const Selector& each) { return each.matches(labels); };
    switch (t.op) {
    case Op::All:
    case Op::Global:
        return true;
    case Op::Has:
        return has([](std::string_view) { return true; });
    case Op::Equal:
        return has([&](std::string_view value) { return value == t.values.front(); });
    case Op::NotEqual:
        return !has([&](std::string_view value) { return value == t.values.front(); });
    case Op::In:
        return has(in_set);
    case Op::NotIn:
        return !has(in_set);
    case Op::Contains:
        return has(
            [&](std::string_view value) { return value.find(t.values.front()) != value.npos; });
    case Op::StartsWith:
        return has([&](std::string_view value) { return value.starts_with(t.values.front()); });
    case Op::EndsWith:
        return has([&](std::string_view value) { return value.ends_with(t.values.front()); });
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
