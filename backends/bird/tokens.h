/// The words of a BIRD configuration, and a place among them. Private to backends/bird.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ir/net/address.h"
#include "ir/net/as_number.h"

namespace polecat::bird {

using Token = std::string_view; ///< of the configuration; quotes belong to it

/// Words (letters, digits, `_ . : /`), texts in quotes, and every other sign for itself. Comments
/// are left out.
std::vector<Token> tokenize(std::string_view text);

/// Thrown by Cursor; read_back() makes an Error of it.
struct Failure {
    std::string message;
};

class Cursor {
  public:
    /// Both must outlive this; `tokens` are of `text`.
    Cursor(std::string_view text, const std::vector<Token>& tokens)
        : whole_(text), tokens_(tokens) {}

    bool at_end() const { return at_ == tokens_.size(); }
    /// `words` are tokens with one space between; taken all or none.
    bool take(std::string_view words);
    void expect(std::string_view words);
    bool is(std::string_view words) const;
    bool is_symbol() const { return !at_end() && tokens_[at_][0] == '\''; }
    [[noreturn]] void fail(std::string_view expected) const;

    std::size_t place() const { return at_; }
    /// Takes the text that stands between two places before, if it stands here again.
    bool take_again(std::size_t from, std::size_t to);

    std::string_view next();
    std::string text();   ///< in double quotes, without them
    std::string symbol(); ///< in single quotes, without them
    std::uint64_t number(std::uint64_t largest);
    std::uint32_t number32() { return static_cast<std::uint32_t>(number(UINT32_MAX)); }
    net::Address address();
    net::Cidr cidr();

  private:
    /// How many tokens `words` are, 0: they don't stand here.
    std::size_t match(std::string_view words) const;
    std::string quoted(char quote);

    std::string_view whole_;
    const std::vector<Token>& tokens_;
    std::size_t at_ = 0;
};

} // namespace polecat::bird
