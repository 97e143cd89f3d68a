#include "frontend/kinds/names.h"

#include <algorithm>

namespace polecat::frontend {

namespace {

bool is_lower_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_alphanumeric(char c) {
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

/// Letters and digits at both ends, also `-`, `_` and `.` between.
bool is_qualified_part(std::string_view text) {
    return !text.empty() && is_alphanumeric(text.front()) && is_alphanumeric(text.back()) &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
           });
}

} // namespace

bool is_dns_label(std::string_view text) {
    return !text.empty() && text.size() <= 63 && is_lower_or_digit(text.front()) &&
           is_lower_or_digit(text.back()) && std::all_of(text.begin(), text.end(), [](char c) {
               return is_lower_or_digit(c) || c == '-';
           });
}

bool is_dns_subdomain(std::string_view text) {
    if (text.empty() || text.size() > 253)
        return false;
    for (;;) {
        const std::size_t dot = text.find('.');
        const std::string_view part = text.substr(0, dot);
        if (part.empty() || !is_lower_or_digit(part.front()) || !is_lower_or_digit(part.back()) ||
            !std::all_of(part.begin(), part.end(),
                         [](char c) { return is_lower_or_digit(c) || c == '-'; }))
            return false;
        if (dot == std::string_view::npos)
            return true;
        text.remove_prefix(dot + 1);
    }
}

bool is_node_name(std::string_view text) {
    return !text.empty() && text.size() <= 253 && is_qualified_part(text);
}

std::optional<std::string> check_label_key(std::string_view key) {
    const std::size_t slash = key.find('/');
    if (slash != std::string_view::npos) {
        if (!is_dns_subdomain(key.substr(0, slash)))
            return "has a prefix that is not a DNS subdomain";
        key.remove_prefix(slash + 1);
    }
    if (key.size() > 63)
        return "has a name of more than 63 characters";
    if (!is_qualified_part(key))
        return "must be letters, digits, `-`, `_` and `.`, with a letter or digit at both ends";
    return std::nullopt;
}

std::optional<std::string> check_label_value(std::string_view value) {
    if (value.size() > 63)
        return "has more than 63 characters";
    if (!value.empty() && !is_qualified_part(value))
        return "must be letters, digits, `-`, `_` and `.`, with a letter or digit at both ends";
    return std::nullopt;
}

bool is_port_name(std::string_view name) {
    return !name.empty() && name.size() <= 15 && is_lower_or_digit(name.front()) &&
           is_lower_or_digit(name.back()) && name.find("--") == std::string_view::npos &&
           std::any_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; }) &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

} // namespace polecat::frontend
