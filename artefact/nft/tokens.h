/// The words of nft's language. For artefact/nft/parse.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace polecat::nft {

struct Token {
    std::string text;
    bool quoted = false;
    std::size_t line = 1;
};

/// Words, quoted texts, and the signs { } , ; = : each for itself. A line's end is a token; remarks
/// are not.
std::vector<Token> tokenize(std::string_view text);

} // namespace polecat::nft
