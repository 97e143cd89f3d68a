#include "frontend/yaml/lines.h"

#include <algorithm>

namespace polecat::yaml {

namespace {

bool is_separator(std::string_view line) {
    return line.substr(0, 3) == "---" && (line.size() == 3 || line[3] == ' ' || line[3] == '\r');
}

} // namespace

std::size_t break_at(std::string_view text, std::size_t at) {
    if (at >= text.size() ||
        std::string_view("\r\n\xc2\xe2").find(text[at]) == std::string_view::npos)
        return 0; // nearly always
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("\r\n"))
        return 2;
    if (rest.starts_with("\n") || rest.starts_with("\r"))
        return 1;
    if (rest.starts_with("\xc2\x85")) // NEL
        return 2;
    return rest.starts_with("\xe2\x80\xa8") || rest.starts_with("\xe2\x80\xa9") ? 3 : 0; // LS, PS
}

std::size_t count_breaks(std::string_view text) {
    std::size_t out = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = break_at(text, at);
        out += length != 0 ? 1 : 0;
        at += std::max<std::size_t>(length, 1);
    }
    return out;
}

std::size_t first_byte(std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    return text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
}

bool begins_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

Characters::Characters(std::string_view text) : text_(text) {
    for (std::size_t at = first_byte(text); at < text.size(); ++at)
        if (begins_character(text[at]) && count_++ % kStep == 0)
            known_.push_back(at);
}

std::size_t Characters::byte_of(std::size_t number) const {
    if (number >= count_)
        return text_.size();
    std::size_t at = known_[number / kStep];
    for (std::size_t left = number % kStep; left > 0;)
        left -= begins_character(text_[++at]) ? 1 : 0;
    return at;
}

std::vector<Chunk> chunks_of(std::string_view text) {
    std::vector<Chunk> out;
    std::size_t begin = 0;
    std::uint32_t line_number = 1, first_line = 1;
    for (std::size_t at = 0; at < text.size(); ++line_number) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        if (is_separator(text.substr(at, end - at)) && at > begin) {
            out.push_back({text.substr(begin, at - begin), first_line});
            begin = at;
            first_line = line_number;
        }
        at = end + 1;
    }
    out.push_back({text.substr(begin), first_line});
    return out;
}

Lines::Lines(std::string_view text) : text_(text), starts_{first_byte(text)} {
    for (std::size_t at = starts_.front(); at < text.size();) {
        const std::size_t length = break_at(text, at);
        at += std::max<std::size_t>(length, 1);
        if (length != 0)
            starts_.push_back(at);
    }
}

std::optional<std::size_t> Lines::byte_at(std::uint32_t line, std::uint32_t column) const {
    if (line == 0 || line > starts_.size() || column == 0)
        return std::nullopt;
    std::size_t at = starts_[line - 1];
    const std::size_t end = end_of_line(at);
    for (std::uint32_t i = 1; i < column; ++i) {
        if (at >= end)
            return std::nullopt;
        for (++at; at < end && !begins_character(text_[at]);)
            ++at;
    }
    return at;
}

std::pair<std::uint32_t, std::uint32_t> Lines::place_of(std::size_t byte) const {
    const auto line = std::upper_bound(starts_.begin(), starts_.end(), byte) - starts_.begin();
    const std::string_view before = text_.substr(0, byte).substr(begin_of_line(byte));
    const auto characters = std::count_if(before.begin(), before.end(), begins_character);
    return {static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(characters) + 1};
}

std::size_t Lines::begin_of_line(std::size_t byte) const {
    const auto next = std::upper_bound(starts_.begin(), starts_.end(), byte);
    return next == starts_.begin() ? starts_.front() : *(next - 1);
}

std::size_t Lines::end_of_line(std::size_t byte) const {
    while (byte < text_.size() && break_at(text_, byte) == 0)
        ++byte;
    return byte;
}

std::string_view Lines::line_break() const {
    const std::size_t end = end_of_line(starts_.front());
    return end < text_.size() ? text_.substr(end, break_at(text_, end)) : std::string_view("\n");
}

} // namespace polecat::yaml
