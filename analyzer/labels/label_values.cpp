#include "analyzer/labels/label_values.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

namespace polecat::analyzer {

namespace {

constexpr std::size_t kLongest = 63, kMaxStates = 200'000;

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_value_character(char c) {
    return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
}

/// How much of `pattern` stands at the end of what was read (Knuth, Morris, Pratt).
class Matcher {
  public:
    explicit Matcher(std::string pattern) : pattern_(std::move(pattern)), border_(1, 0) {
        for (std::size_t i = 1; i < pattern_.size(); ++i) {
            std::size_t k = border_.back();
            while (k > 0 && pattern_[i] != pattern_[k])
                k = border_[k - 1];
            border_.push_back(pattern_[i] == pattern_[k] ? k + 1 : 0);
        }
    }
    std::size_t length() const { return pattern_.size(); }
    std::size_t next(std::size_t state, char c) const {
        if (pattern_.empty())
            return 0;
        if (state == pattern_.size())
            state = border_[state - 1];
        while (state > 0 && pattern_[state] != c)
            state = border_[state - 1];
        return pattern_[state] == c ? state + 1 : 0;
    }
    char at(std::size_t index) const { return pattern_[index]; }

  private:
    std::string pattern_;
    std::vector<std::size_t> border_;
};

/// Reads a value character by character, for all tests at once.
class Product {
  public:
    explicit Product(const ValueTests& tests) {
        for (const std::string& text : tests.contains)
            contains_.emplace_back(text);
        for (const std::string& text : tests.starts)
            starts_.emplace_back(text);
        for (const std::string& text : tests.ends)
            ends_.emplace_back(text);
    }

    /// contains: progress, staying at the end once there. starts: progress, or one beyond the
    /// length once it can't match. ends: progress.
    using State = std::vector<std::size_t>;
    State start() const { return State(contains_.size() + starts_.size() + ends_.size(), 0); }

    State next(const State& state, char c) const {
        State out;
        std::size_t at = 0;
        for (const Matcher& each : contains_) {
            const std::size_t now = state[at++];
            out.push_back(now == each.length() ? now : each.next(now, c));
        }
        for (const Matcher& each : starts_) {
            const std::size_t now = state[at++];
            const bool going = now < each.length();
            out.push_back(!going ? now : each.at(now) == c ? now + 1 : each.length() + 1);
        }
        for (const Matcher& each : ends_)
            out.push_back(each.next(state[at++], c));
        return out;
    }

    std::vector<bool> answers(const State& state) const {
        std::vector<bool> out;
        std::size_t at = 0;
        for (const auto* list : {&contains_, &starts_, &ends_})
            for (const Matcher& each : *list)
                out.push_back(state[at++] == each.length());
        return out;
    }

  private:
    std::vector<Matcher> contains_, starts_, ends_;
};

/// Characters that some test reads, and one letter that none does.
std::string alphabet_of(const ValueTests& tests) {
    std::set<char> used;
    for (const auto* list : {&tests.equal, &tests.contains, &tests.starts, &tests.ends})
        for (const std::string& text : *list)
            for (const char c : text)
                if (is_value_character(c))
                    used.insert(c);
    std::string out;
    for (const char c :
         std::string("xyzabcdefghijklmnopqrstuvwXYZABCDEFGHIJKLMNOPQRSTUVW0123456789"))
        if (!used.contains(c)) {
            out += c; // stands for every other character
            break;
        }
    out.append(used.begin(), used.end());
    return out;
}

} // namespace

bool is_label_value(std::string_view text) {
    if (text.empty())
        return true;
    return text.size() <= kLongest && is_letter_or_digit(text.front()) &&
           is_letter_or_digit(text.back()) &&
           std::all_of(text.begin(), text.end(), is_value_character);
}

/// Literal values are classes of their own; then, by length, the first value of every other
/// combination of answers. How far a value agrees with a literal is part of the state, so that a
/// literal does not stand in for its class.
std::optional<std::vector<std::string>> value_classes(const ValueTests& tests) {
    std::vector<std::string> literals = tests.equal;
    std::sort(literals.begin(), literals.end());
    literals.erase(std::unique(literals.begin(), literals.end()), literals.end());
    std::vector<std::string> out;
    std::copy_if(literals.begin(), literals.end(), std::back_inserter(out), is_label_value);
    const bool only_equal = tests.contains.empty() && tests.starts.empty() && tests.ends.empty();
    if (only_equal && (literals.empty() || !literals.front().empty())) {
        out.emplace_back(); // all other values are one class: the shortest is the empty one
        return out;
    }
    std::set<std::string> prefixes;
    for (const std::string& text : literals)
        for (std::size_t i = 0; i <= text.size(); ++i)
            prefixes.insert(text.substr(0, i));
    const Product product(tests);
    const std::string alphabet = alphabet_of(tests);
    const auto is_literal = [&](const std::string& text) {
        return std::binary_search(literals.begin(), literals.end(), text);
    };
    const auto key_of = [&](const std::string& text, const Product::State& state) {
        // What may follow: a letter or digit at the start, then also signs.
        const int end = text.empty() ? 0 : is_letter_or_digit(text.back()) ? 1 : 2;
        return std::tuple(state, prefixes.contains(text) ? text : std::string("?"), end);
    };
    std::set<std::vector<bool>> found;
    std::set<decltype(key_of("", {}))> seen;
    std::deque<std::pair<std::string, Product::State>> open{{"", product.start()}};
    seen.insert(key_of("", product.start()));
    while (!open.empty()) {
        auto [text, state] = std::move(open.front());
        open.pop_front();
        if (is_label_value(text) && !is_literal(text) &&
            found.insert(product.answers(state)).second)
            out.push_back(text);
        if (text.size() == kLongest)
            continue;
        for (const char c : alphabet) {
            if (text.empty() && !is_letter_or_digit(c))
                continue;
            Product::State next = product.next(state, c);
            if (seen.insert(key_of(text + c, next)).second)
                open.emplace_back(text + c, std::move(next));
        }
        if (seen.size() > kMaxStates)
            return std::nullopt;
    }
    return out;
}

} // namespace polecat::analyzer
