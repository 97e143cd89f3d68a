/// What entries of programs do, each distinct thing once: programs in the making are lists of
/// numbers. For this folder only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "ir/decision/program.h"

namespace polecat::passes::lowering {

struct Token {
    Shared<decision::Match> match;
    policy::Action action = policy::Action::Allow;
    bool staged = false;
    bool operator==(const Token&) const = default;
};

class Tokens {
  public:
    std::uint32_t intern(Token token);
    const Token& operator[](std::uint32_t id) const { return tokens_[id]; }

  private:
    struct Hash {
        std::size_t operator()(const Token& token) const;
    };
    std::vector<Token> tokens_;
    std::unordered_map<Token, std::uint32_t, Hash> ids_;
};

} // namespace polecat::passes::lowering
