#include "artefact/iptables/lines.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace polecat::iptables {

Line::Line(std::string_view text, std::size_t number) : number_(number) {
    while (!text.empty()) {
        if (text.front() == ' ') {
            text.remove_prefix(1);
            continue;
        }
        const bool quoted = text.front() == '"';
        if (quoted)
            text.remove_prefix(1);
        const std::size_t end = text.find(quoted ? '"' : ' ');
        if (quoted && end == std::string_view::npos)
            fail("a closing quote");
        words_.emplace_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + (quoted ? 1 : 0));
    }
}

std::string Line::next() {
    if (at_end())
        fail("one more word");
    return words_[place_++];
}

bool Line::take(std::string_view word) {
    if (at_end() || words_[place_] != word)
        return false;
    ++place_;
    return true;
}

std::string Line::one_of(std::initializer_list<std::string_view> words) {
    std::string word = next();
    if (std::find(words.begin(), words.end(), word) == words.end())
        fail("another word than `" + word + "`");
    return word;
}

std::uint64_t Line::number(std::string_view text, std::uint64_t most, int base) const {
    std::uint64_t out = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, out, base);
    if (error != std::errc() || rest != end || out > most)
        fail("a number");
    return out;
}

std::vector<std::string> Line::split(std::string_view text, char at) const {
    std::vector<std::string> out;
    for (;;) {
        const std::size_t end = text.find(at);
        out.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos)
            return out;
        text.remove_prefix(end + 1);
    }
}

void Line::fail(const std::string& wanted) const {
    throw Failure{fmt::format("line {}: {} was expected", number_, wanted)};
}

bool Lines::next() {
    remark_ = {};
    while (!rest_.empty()) {
        const std::size_t end = rest_.find('\n');
        current_ = rest_.substr(0, end);
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
        ++number_;
        if (current_.starts_with('#'))
            remark_ = current_;
        else if (!current_.empty())
            return true;
    }
    return false;
}

} // namespace polecat::iptables
