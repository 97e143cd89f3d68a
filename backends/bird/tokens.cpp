#include "backends/bird/tokens.h"

#include <charconv>

#include <fmt/format.h>

namespace polecat::bird {

namespace {

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == ':' || c == '/';
}

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// How long the token is that `text` begins with.
std::size_t token_size(std::string_view text) {
    if (text[0] == '"' || text[0] == '\'') {
        const std::size_t end = text.find_first_of(std::string{text[0], '\n'}, 1);
        return end == std::string_view::npos || text[end] == '\n' ? 1 : end + 1;
    }
    std::size_t size = 0;
    while (size < text.size() && is_word(text[size]))
        ++size;
    return std::max<std::size_t>(size, 1);
}

} // namespace

std::vector<Token> tokenize(std::string_view text) {
    std::vector<Token> out;
    out.reserve(text.size() / 5);
    std::size_t line = 1;
    while (!text.empty()) {
        std::size_t size = 1;
        if (text[0] == '#') {
            size = std::min(text.find('\n'), text.size());
        } else if (is_space(text[0])) {
            line += text[0] == '\n' ? 1 : 0;
        } else {
            size = token_size(text);
            out.push_back({text.substr(0, size), line});
        }
        text.remove_prefix(size);
    }
    return out;
}

std::size_t Cursor::match(std::string_view words) const {
    std::size_t count = 0;
    while (!words.empty()) {
        const std::size_t space = std::min(words.find(' '), words.size());
        if (at_ + count >= tokens_.size() || tokens_[at_ + count].text != words.substr(0, space))
            return 0;
        ++count;
        words.remove_prefix(std::min(space + 1, words.size()));
    }
    return count;
}

bool Cursor::is(std::string_view words) const {
    return match(words) != 0;
}

bool Cursor::take(std::string_view words) {
    const std::size_t count = match(words);
    at_ += count;
    return count != 0;
}

void Cursor::expect(std::string_view words) {
    if (!take(words))
        fail(fmt::format("`{}`", words));
}

void Cursor::fail(std::string_view expected) const {
    throw Failure{fmt::format("line {}: expected {}, found `{}`", at_end() ? 0 : tokens_[at_].line,
                              expected, at_end() ? "the end" : tokens_[at_].text)};
}

std::string_view Cursor::next() {
    if (at_end())
        fail("more");
    return tokens_[at_++].text;
}

std::string Cursor::quoted(char quote) {
    if (at_end() || tokens_[at_].text.size() < 2 || tokens_[at_].text[0] != quote)
        fail("a text in quotes");
    const std::string_view text = next();
    return std::string(text.substr(1, text.size() - 2));
}

std::string Cursor::text() {
    return quoted('"');
}

std::string Cursor::symbol() {
    return quoted('\'');
}

std::uint64_t Cursor::number(std::uint64_t largest) {
    std::uint64_t value = 0;
    const std::string_view text = at_end() ? std::string_view() : tokens_[at_].text;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || value > largest)
        fail(fmt::format("a number up to {}", largest));
    ++at_;
    return value;
}

net::Address Cursor::address() {
    const auto value = at_end() ? std::nullopt : net::parse_address(tokens_[at_].text);
    if (!value)
        fail("an address");
    ++at_;
    return *value;
}

net::Cidr Cursor::cidr() {
    const auto value =
        at_end() ? std::nullopt : net::parse_cidr(tokens_[at_].text, net::CidrForm::Strict);
    if (!value)
        fail("a prefix");
    ++at_;
    return *value;
}

} // namespace polecat::bird
