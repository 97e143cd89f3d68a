#include "support/unified_diff.h"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace polecat {

namespace {

constexpr std::size_t kContext = 3;

/// With their line ends; the last may have none.
std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
        out.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return out;
}

/// As git writes names: quoted where they hold what would end them, a tab after one with blanks.
std::string name_of(const std::string& side, std::string_view path) {
    std::string quoted;
    bool needs_quotes = false;
    for (const char c : side + (path.starts_with('/') ? "" : "/") + std::string(path)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) {
            char octal[8];
            std::snprintf(octal, sizeof octal, "\\%03o", static_cast<unsigned>(byte));
            quoted += octal;
            needs_quotes = true;
            continue;
        }
        if (c == '"' || c == '\\') {
            quoted += '\\';
            needs_quotes = true;
        }
        quoted += c;
    }
    if (needs_quotes)
        return '"' + quoted + '"';
    return quoted.find(' ') == std::string::npos ? quoted : quoted + '\t';
}

void add_line(std::string& out, char mark, std::string_view line) {
    out += mark;
    out += line;
    if (!line.ends_with('\n'))
        out += "\n\\ No newline at end of file\n";
}

/// Lines [begin, end) of both: runs of changed ones as a block of `-` and one of `+`.
void add_hunk(std::string& out, const std::vector<std::string_view>& before,
              const std::vector<std::string_view>& after, std::size_t begin, std::size_t end) {
    const std::string range = std::to_string(begin + 1) + "," + std::to_string(end - begin);
    out += "@@ -" + range + " +" + range + " @@\n";
    for (std::size_t at = begin; at < end;) {
        std::size_t stop = at;
        while (stop < end && before[stop] != after[stop])
            ++stop;
        for (std::size_t i = at; i < stop; ++i)
            add_line(out, '-', before[i]);
        for (std::size_t i = at; i < stop; ++i)
            add_line(out, '+', after[i]);
        if (stop == at)
            add_line(out, ' ', before[stop++]);
        at = stop;
    }
}

} // namespace

std::string unified_diff(std::string_view path, std::string_view before_text,
                         std::string_view after_text) {
    const auto before = lines_of(before_text), after = lines_of(after_text);
    std::string hunks;
    const std::size_t count = std::min(before.size(), after.size());
    for (std::size_t i = 0; i < count; ++i) {
        if (before[i] == after[i])
            continue;
        std::size_t last = i;
        for (std::size_t j = i; j < count && j <= last + 2 * kContext; ++j)
            if (before[j] != after[j])
                last = j;
        add_hunk(hunks, before, after, i - std::min(i, kContext),
                 std::min(count, last + kContext + 1));
        i = last;
    }
    if (hunks.empty())
        return {};
    return "--- " + name_of("a", path) + "\n+++ " + name_of("b", path) + "\n" + hunks;
}

} // namespace polecat
