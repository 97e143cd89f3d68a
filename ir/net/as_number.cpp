#include "ir/net/as_number.h"

#include <charconv>

namespace polecat::net {

namespace {

std::optional<std::uint32_t> number_of(std::string_view text, std::uint32_t most) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value > most)
        return std::nullopt;
    return value;
}

struct Reserved {
    AsNumber first, last;
    std::string_view why;
};

constexpr Reserved kReserved[] = {
    {0, 0, "reserved (RFC 7607)"},
    {23456, 23456, "AS_TRANS, which stands for a 4-byte number (RFC 6793)"},
    {64496, 64511, "reserved for documentation (RFC 5398)"},
    {65535, 65535, "reserved (RFC 7300)"},
    {65536, 65551, "reserved for documentation (RFC 5398)"},
    {65552, 131071, "reserved by IANA"},
    {4294967295, 4294967295, "reserved (RFC 7300)"},
};

} // namespace

std::optional<AsNumber> parse_as_number(std::string_view text) {
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos)
        return number_of(text, 0xffffffff);
    const auto high = number_of(text.substr(0, dot), 0xffff);
    const auto low = number_of(text.substr(dot + 1), 0xffff);
    if (!high || !low)
        return std::nullopt;
    return *high << 16 | *low;
}

bool is_private(AsNumber number) {
    return (number >= 64512 && number <= 65534) || (number >= 4200000000 && number <= 4294967294);
}

std::string_view reserved_for(AsNumber number) {
    for (const Reserved& each : kReserved)
        if (number >= each.first && number <= each.last)
            return each.why;
    return {};
}

} // namespace polecat::net
