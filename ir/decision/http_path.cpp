// Request paths, as Calico's L7 checker reads them: strict on purpose, so that no spelling of a
// path gets past a rule that names another spelling.
#include <algorithm>
#include <vector>

#include "ir/decision/eval.h"

namespace polecat::decision {

namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/// One round of percent-decoding; nullopt: not valid.
std::optional<std::string> decode(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        if (i + 2 >= text.size())
            return std::nullopt;
        const int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
        if (high < 0 || low < 0)
            return std::nullopt;
        decoded += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return decoded;
}

/// A NUL, or another layer of encoding over a dot, a slash or a backslash.
bool is_hiding_something(std::string_view decoded) {
    for (std::size_t i = 0; i < decoded.size(); ++i) {
        if (decoded[i] == '\0')
            return true;
        if (decoded[i] != '%' || i + 2 >= decoded.size())
            continue;
        const int code = hex_value(decoded[i + 1]) * 16 + hex_value(decoded[i + 2]);
        if (hex_value(decoded[i + 1]) >= 0 && hex_value(decoded[i + 2]) >= 0 &&
            (code == '.' || code == '/' || code == '\\'))
            return true;
    }
    return false;
}

} // namespace

std::optional<std::string> normalize_http_path(std::string_view path) {
    std::optional<std::string> decoded = decode(path.substr(0, path.find_first_of("?#")));
    if (!decoded || is_hiding_something(*decoded))
        return std::nullopt;
    for (char& c : *decoded)
        if (c == '\\')
            c = '/';
    if (decoded->empty() || decoded->front() != '/')
        return std::nullopt;
    std::vector<std::string_view> segments;
    for (std::string_view rest = *decoded; !rest.empty();) {
        rest.remove_prefix(1);
        const std::size_t end = std::min(rest.find('/'), rest.size());
        std::string_view segment = rest.substr(0, end);
        rest.remove_prefix(end);
        segment = segment.substr(0, segment.find(';'));
        if (segment == "..") {
            if (!segments.empty())
                segments.pop_back();
        } else if (!segment.empty() && segment != ".") {
            segments.push_back(segment);
        }
    }
    std::string clean;
    for (const std::string_view segment : segments)
        clean += "/" + std::string(segment);
    return clean.empty() ? "/" : clean;
}

} // namespace polecat::decision
