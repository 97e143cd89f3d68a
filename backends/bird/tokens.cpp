#include "backends/bird/tokens.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace polecat::bird {

namespace {

enum class Sign : unsigned char { Other, Word, Space };

/// By character: a reflector's configuration has millions.
constexpr std::array<Sign, 256> kSigns = [] {
    std::array<Sign, 256> out{};
    for (unsigned c = 0; c < 256; ++c)
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '_' || c == '.' || c == ':' || c == '/')
            out[c] = Sign::Word;
        else if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
            out[c] = Sign::Space;
    return out;
}();

Sign sign(char c) {
    return kSigns[static_cast<unsigned char>(c)];
}

/// Where the token that begins at `from` ends.
std::size_t end_of_token(std::string_view text, std::size_t from) {
    const char first = text[from];
    std::size_t end = from + 1;
    if (first == '"' || first == '\'') {
        while (end < text.size() && text[end] != first && text[end] != '\n')
            ++end;
        return end == text.size() || text[end] == '\n' ? from + 1 : end + 1;
    }
    if (sign(first) == Sign::Word)
        while (end < text.size() && sign(text[end]) == Sign::Word)
            ++end;
    return end;
}

} // namespace

std::vector<Token> tokenize(std::string_view text) {
    std::vector<Token> out;
    out.reserve(text.size() / 5);
    for (std::size_t at = 0; at < text.size();) {
        if (sign(text[at]) == Sign::Space) {
            ++at;
        } else if (text[at] == '#') {
            at = std::min(text.find('\n', at), text.size());
        } else {
            const std::size_t end = end_of_token(text, at);
            out.push_back(text.substr(at, end - at));
            at = end;
        }
    }
    return out;
}

std::size_t Cursor::match(std::string_view words) const {
    std::size_t count = 0;
    while (!words.empty()) {
        const std::size_t space = std::min(words.find(' '), words.size());
        if (at_ + count >= tokens_.size() || tokens_[at_ + count] != words.substr(0, space))
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
    if (at_end())
        throw Failure{fmt::format("expected {}, found the end", expected)};
    const auto before =
        whole_.substr(0, static_cast<std::size_t>(tokens_[at_].data() - whole_.data()));
    throw Failure{fmt::format("line {}: expected {}, found `{}`",
                              1 + std::count(before.begin(), before.end(), '\n'), expected,
                              tokens_[at_])};
}

bool Cursor::take_again(std::size_t from, std::size_t to) {
    const std::size_t count = to - from;
    if (count == 0 || at_ + count > tokens_.size())
        return false;
    const auto text = [&](std::size_t first) {
        const char* const begin = tokens_[first].data();
        const Token& last = tokens_[first + count - 1];
        return std::string_view(begin, static_cast<std::size_t>(last.data() + last.size() - begin));
    };
    if (text(from) != text(at_))
        return false;
    at_ += count;
    return true;
}

std::string_view Cursor::next() {
    if (at_end())
        fail("more");
    return tokens_[at_++];
}

std::string Cursor::quoted(char quote) {
    if (at_end() || tokens_[at_].size() < 2 || tokens_[at_][0] != quote)
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
    const std::string_view text = at_end() ? std::string_view() : tokens_[at_];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || value > largest)
        fail(fmt::format("a number up to {}", largest));
    ++at_;
    return value;
}

net::Address Cursor::address() {
    const auto value = at_end() ? std::nullopt : net::parse_address(tokens_[at_]);
    if (!value)
        fail("an address");
    ++at_;
    return *value;
}

net::Cidr Cursor::cidr() {
    const auto value =
        at_end() ? std::nullopt : net::parse_cidr(tokens_[at_], net::CidrForm::Strict);
    if (!value)
        fail("a prefix");
    ++at_;
    return *value;
}

} // namespace polecat::bird
