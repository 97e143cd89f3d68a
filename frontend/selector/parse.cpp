#include "frontend/selector/parse.h"

#include <algorithm>
#include <array>

namespace polecat::frontend {

namespace {

using selector::Selector;

constexpr std::size_t kMaxLabel = 512;

constexpr bool is_label_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '/' || c == '-';
}

/// Recursive descent over the text; the first failure is kept.
class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    std::optional<Selector> parse() {
        skip_blanks();
        if (at_end())
            return Selector::all();
        auto out = any_of();
        if (out && !at_end())
            return fail("`&&`, `||` or the end of the selector");
        return out;
    }

    const SelectorError& error() const { return error_; }

  private:
    using Parsed = std::optional<Selector>;

    bool at_end() const { return at_ >= text_.size(); }
    char peek() const { return at_end() ? '\0' : text_[at_]; }

    void skip_blanks() {
        while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\t'))
            ++at_;
    }

    /// Takes `token` and the blanks behind it.
    bool take(std::string_view token) {
        if (text_.substr(at_, token.size()) != token)
            return false;
        at_ += token.size();
        skip_blanks();
        return true;
    }

    bool at_line_break() const { return peek() == '\n' || peek() == '\r'; }

    /// As of YAML's block scalars (`>` and `|`).
    bool ends_in_line_break() const {
        return at_line_break() && text_.find_first_not_of(" \t\r\n", at_) == std::string_view::npos;
    }

    std::string seen() const {
        if (at_end())
            return "the end";
        return at_line_break() ? "a line break" : "`" + std::string(text_.substr(at_, 1)) + "`";
    }

    std::nullopt_t fail(std::string_view expected) {
        if (error_.message.empty()) {
            error_ = {at_, ends_in_line_break()
                               ? std::string("it ends in a line break, which is no blank to Calico")
                               : "found " + seen() + ", expected " + std::string(expected)};
        }
        return std::nullopt;
    }

    Parsed any_of() { return joined("||", &Parser::all_of, &Selector::any_of); }
    Parsed all_of() { return joined("&&", &Parser::operand, &Selector::all_of); }

    Parsed joined(std::string_view token, Parsed (Parser::*next)(),
                  Selector (*join)(std::vector<Selector>)) {
        Parsed first = (this->*next)();
        if (!first || text_.substr(at_, 2) != token)
            return first;
        std::vector<Selector> operands{std::move(*first)};
        while (take(token)) {
            Parsed more = (this->*next)();
            if (!more)
                return std::nullopt;
            operands.push_back(std::move(*more));
        }
        return join(std::move(operands));
    }

    Parsed operand() {
        bool negated = false;
        while (take("!"))
            negated = !negated;
        Parsed inner = primary();
        if (inner && negated)
            return Selector::negate(std::move(*inner));
        return inner;
    }

    Parsed primary() {
        if (peek() == '(')
            return group();
        if (take_call("all("))
            return close(Selector::all());
        if (take_call("global("))
            return close(Selector::global());
        if (take_call("has("))
            return has();
        return comparison();
    }

    bool take_call(std::string_view word) { return take(word); }

    Parsed close(Selector inner) {
        if (!take(")"))
            return fail("`)`");
        return inner;
    }

    Parsed group() {
        if (++depth_ > kMaxSelectorDepth)
            return fail("fewer nested parentheses");
        take("(");
        Parsed inner = any_of();
        --depth_;
        if (!inner)
            return std::nullopt;
        return close(std::move(*inner));
    }

    Parsed has() {
        auto label = this->label();
        if (!label)
            return std::nullopt;
        return close(Selector::has(std::move(*label)));
    }

    std::optional<std::string> label() {
        std::size_t end = at_;
        while (end < text_.size() && is_label_char(text_[end]))
            ++end;
        if (end == at_)
            return fail("a label name, `has(`, `all()`, `!` or `(`");
        if (end - at_ > kMaxLabel)
            return fail("a label name of at most 512 characters");
        std::string out(text_.substr(at_, end - at_));
        at_ = end;
        skip_blanks();
        return out;
    }

    Parsed comparison() {
        auto name = label();
        if (!name)
            return std::nullopt;
        if (take("=="))
            return with_value(std::move(*name), &Selector::equal);
        if (take("!="))
            return with_value(std::move(*name), &Selector::not_equal);
        if (take("contains"))
            return with_value(std::move(*name), &Selector::contains);
        if (take_words("starts", "with"))
            return with_value(std::move(*name), &Selector::starts_with);
        if (take_words("ends", "with"))
            return with_value(std::move(*name), &Selector::ends_with);
        if (take_words("not", "in"))
            return with_values(std::move(*name), &Selector::not_in);
        if (take("in"))
            return with_values(std::move(*name), &Selector::in);
        return fail("`==`, `!=`, `in`, `not in`, `contains`, `starts with` or `ends with`");
    }

    /// Two words with any blanks, or none, between them.
    bool take_words(std::string_view first, std::string_view second) {
        const std::size_t start = at_;
        if (take(first) && take(second))
            return true;
        at_ = start;
        return false;
    }

    std::optional<std::string> value() {
        const char quote = peek();
        if (quote != '"' && quote != '\'')
            return fail("a value in quotes");
        const std::size_t end = text_.find(quote, at_ + 1);
        if (end == std::string_view::npos)
            return fail("a closing quote after this one");
        std::string out(text_.substr(at_ + 1, end - at_ - 1));
        at_ = end + 1;
        skip_blanks();
        return out;
    }

    Parsed with_value(std::string name, Selector (*make)(std::string, std::string)) {
        auto text = value();
        if (!text)
            return std::nullopt;
        return make(std::move(name), std::move(*text));
    }

    Parsed with_values(std::string name, Selector (*make)(std::string, std::vector<std::string>)) {
        if (!take("{"))
            return fail("`{`");
        std::vector<std::string> values;
        while (peek() != '}') {
            auto text = value();
            if (!text)
                return std::nullopt;
            values.push_back(std::move(*text));
            if (!take(","))
                break;
        }
        if (!take("}"))
            return fail("`,` or `}`");
        return make(std::move(name), std::move(values));
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    SelectorError error_;
};

} // namespace

std::optional<Selector> parse_selector(std::string_view text, SelectorError* error) {
    Parser parser(text);
    auto out = parser.parse();
    if (!out && error != nullptr)
        *error = parser.error();
    return out;
}

} // namespace polecat::frontend
