#include "support/diag/fix.h"

#include <algorithm>
#include <cctype>

#include "support/letters.h"

namespace polecat::diag {

namespace {

std::size_t count_characters(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

bool one_line(std::string_view text) {
    return !text.empty() && text.find_first_of("\r\n") == std::string_view::npos;
}

} // namespace

std::optional<Fix> replace_text(const Span& span, const std::string& text, const std::string& to,
                                const std::string& description) {
    const std::size_t length = count_characters(text);
    if (!span.known() || !one_line(text) || !one_line(to))
        return std::nullopt;
    Span inner = span;
    if (span.length == length + 2) { // within quotes
        ++inner.column;
        inner.length -= 2;
    } else if (span.length != length) {
        return std::nullopt;
    }
    return Fix{inner, to, description, text, {}};
}

Fix add_to_object(const Span& inside, const std::string& path, const std::string& content,
                  const std::string& description) {
    return Fix{inside, {}, description, {}, Addition{true, path, content, {}, {}}};
}

Fix add_to_mapping(const Span& inside, const std::string& path, const std::string& content,
                   const std::string& description) {
    return Fix{inside, {}, description, {}, Addition{false, path, content, {}, {}}};
}

std::string fix_line(const Diagnostic& finding) {
    if (finding.fixes.empty() || finding.fixes.front().addition)
        return {};
    return "fix: " + finding.fixes.front().description + " (lint --fix)";
}

std::string content_word(const std::string& text) {
    constexpr const char* kOther[] = {"y",   "n",    "yes",   "no",   "on",
                                      "off", "true", "false", "null", "nan"};
    const std::string lower = lower_case(text);
    const bool other = std::find(std::begin(kOther), std::end(kOther), lower) != std::end(kOther);
    const auto plain = [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '/';
    };
    const bool letter = !text.empty() && std::isalpha(static_cast<unsigned char>(text[0])) != 0;
    // Numbers have neither of these.
    const bool no_number =
        text.find('/') != text.npos || std::count(text.begin(), text.end(), '.') > 1;
    const bool bare = std::all_of(text.begin(), text.end(), plain) && (letter || no_number) &&
                      !other && text.front() != '-';
    return bare ? text : "\"" + text + "\"";
}

std::optional<Fix> quote_text(const Span& span, const std::string& text) {
    const bool simple = std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '+' || c == '_';
    });
    if (!span.known() || text.empty() || !simple || span.length != text.size())
        return std::nullopt;
    return Fix{span, "\"" + text + "\"", "quote it", text, {}};
}

} // namespace polecat::diag
