#include "artefact/nft/tokens.h"

#include <algorithm>

namespace polecat::nft {

std::vector<Token> tokenize(std::string_view text) {
    std::vector<Token> out;
    std::size_t line = 1;
    constexpr std::string_view kSigns = "{},;=";
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        if (c == '\n') {
            out.push_back({"\n", false, line++});
            ++i;
        } else if (c == ' ' || c == '\t') {
            ++i;
        } else if (c == '#') { // a remark, up to the line's end
            i = std::min(text.find('\n', i), text.size());
        } else if (c == '"') {
            const std::size_t end = std::min(text.find('"', i + 1), text.size());
            out.push_back({std::string(text.substr(i + 1, end - i - 1)), true, line});
            i = end + 1;
        } else if (c == ':' && i + 1 < text.size() && text[i + 1] != ':') { // no IPv6 address
            out.push_back({":", false, line});
            ++i;
        } else if (kSigns.find(c) != std::string_view::npos &&
                   !(c == '=' && i + 1 < text.size() && text[i + 1] == '=')) {
            out.push_back({std::string(1, c), false, line});
            ++i;
        } else {
            std::size_t end = i;
            while (end < text.size() && text[end] != ' ' && text[end] != '\t' &&
                   text[end] != '\n' && text[end] != '"' &&
                   std::string_view("{},;").find(text[end]) == std::string_view::npos)
                ++end;
            out.push_back({std::string(text.substr(i, end - i)), false, line});
            i = end;
        }
    }
    return out;
}

} // namespace polecat::nft
