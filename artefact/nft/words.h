/// The words of a ruleset's text, read one after the other. For artefact/nft/parse*.cpp.
#pragma once

#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/nft/ruleset.h"
#include "artefact/nft/tokens.h"

namespace polecat::nft {

struct Failure {
    std::string message;
};

class Words {
  public:
    explicit Words(std::string_view text) : tokens_(tokenize(text)) {}

    /// Throws a Failure that says what was found instead, and where.
    [[noreturn]] void fail(const std::string& expected) const;
    bool at_end() const { return at_ >= tokens_.size(); }
    bool is(std::string_view text) const {
        return !at_end() && !tokens_[at_].quoted && tokens_[at_].text == text;
    }
    bool take(std::string_view text) {
        if (!is(text))
            return false;
        ++at_;
        return true;
    }
    void expect(std::string_view text) {
        if (!take(text))
            fail("`" + std::string(text) + "`");
    }
    /// Whether the first of the two words stands here; anything but them is an error.
    bool one_of(std::string_view first, std::string_view second) {
        if (take(first))
            return true;
        expect(second);
        return false;
    }
    std::string next() {
        if (at_ >= tokens_.size() || tokens_[at_].text == "\n")
            fail("more of this line");
        return tokens_[at_++].text;
    }
    void skip_lines() {
        while (is("\n"))
            ++at_;
    }

    std::uint64_t number(std::string_view text, int base = 10) const {
        std::uint64_t value = 0;
        if (base == 16 && text.starts_with("0x"))
            text.remove_prefix(2);
        const auto [end, failure] =
            std::from_chars(text.data(), text.data() + text.size(), value, base);
        if (failure != std::errc{} || end != text.data() + text.size())
            fail("a number");
        return value;
    }
    /// A number that its type can hold.
    template <class T> T small_number(std::string_view text, int base = 10) const {
        const std::uint64_t value = number(text, base);
        if (value > std::numeric_limits<T>::max())
            fail("a smaller number");
        return static_cast<T>(value);
    }
    template <class T> T small_number() { return small_number<T>(next()); }
    /// The next word without its end.
    std::string before(std::string_view end) {
        const std::string word = next();
        if (!word.ends_with(end))
            fail("`" + std::string(end) + "`");
        return word.substr(0, word.size() - end.size());
    }
    std::uint32_t mark() { return small_number<std::uint32_t>(next(), 16); }
    /// "none", "root", "HIGH:LOW" or a decimal number.
    std::uint32_t word() {
        const std::string text = next();
        if (text == "none" || text == "root")
            return text == "none" ? 0 : ~0u;
        const std::size_t colon = text.find(':');
        if (colon == std::string::npos) {
            if (text.size() > 1 && text.front() == '0') // of another base to nft(8)
                fail("a class");
            return small_number<std::uint32_t>(text);
        }
        const std::uint64_t high = number(std::string_view(text).substr(0, colon), 16);
        const std::uint64_t low = number(std::string_view(text).substr(colon + 1), 16);
        if (high > 0xffff || low > 0xffff)
            fail("a class");
        return static_cast<std::uint32_t>(high << 16 | low);
    }

  private:
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
};

/// The rest of the line. Fails where it is none of the shapes of the model.
Rule read_rule(Words& words);

} // namespace polecat::nft
