#include "support/diag/printable.h"

#include <cstdint>

namespace polecat::diag {

namespace {

constexpr std::string_view kReplacement = "\uFFFD";

struct Decoded {
    std::size_t length = 0; ///< 0: not UTF-8 (RFC 3629)
    std::uint32_t value = 0;
};

Decoded decode(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const std::uint32_t first = byte(0);
    if (first < 0x80)
        return {1, first};
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length)
        return {};
    std::uint32_t value = first & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80)
            return {};
        value = value << 6 | (byte(i) & 0x3FU);
    }
    const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
    if (overlong || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return {};
    return {length, value};
}

/// Characters that would act on a terminal, show text in another order than it has, or be no
/// character at all.
bool is_control(std::uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069) || (c & 0xFFFE) == 0xFFFE;
}

} // namespace

std::vector<std::string_view> characters(std::string_view line) {
    std::vector<std::string_view> out;
    while (!line.empty()) {
        const Decoded next = decode(line);
        const std::size_t length = next.length == 0 ? 1 : next.length;
        if (next.length == 0)
            out.push_back(kReplacement);
        else if (next.value == '\t')
            out.push_back(" ");
        else
            out.push_back(is_control(next.value) ? kReplacement : line.substr(0, length));
        line.remove_prefix(length);
    }
    return out;
}

std::string printable(std::string_view text) {
    std::string out;
    for (const std::string_view each : characters(text))
        out += each;
    return out;
}

} // namespace polecat::diag
