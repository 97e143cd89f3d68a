#include "support/unified_diff.h"

#include <algorithm>
#include <cctype>
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

/// Lines [before, before_end) became [after, after_end).
struct Change {
    std::size_t before, before_end, after, after_end;
};

using Lines = std::vector<std::string_view>;

/// The texts agree from there on, for more than a line of brackets as there are many.
bool meet(const Lines& a, std::size_t i, const Lines& b, std::size_t j) {
    std::size_t letters = 0;
    for (; letters < 4; ++i, ++j) {
        if (i == a.size() || j == b.size())
            return i == a.size() && j == b.size();
        if (a[i] != b[j])
            return false;
        letters += static_cast<std::size_t>(std::count_if(
            a[i].begin(), a[i].end(), [](unsigned char c) { return std::isalnum(c) != 0; }));
    }
    return true;
}

/// Where the texts meet again with the fewest lines between. Right whatever it finds; beyond a
/// bound everything is said to differ.
Change change_at(const Lines& a, std::size_t i, const Lines& b, std::size_t j) {
    constexpr std::size_t kFarthest = 400;
    for (std::size_t lines = 1; lines <= kFarthest; ++lines)
        for (std::size_t gone = 0; gone <= lines; ++gone)
            if (i + gone <= a.size() && j + lines - gone <= b.size() &&
                meet(a, i + gone, b, j + lines - gone))
                return {i, i + gone, j, j + lines - gone};
    return {i, a.size(), j, b.size()};
}

std::vector<Change> changes_of(const Lines& a, const Lines& b) {
    std::vector<Change> out;
    std::size_t i = 0, j = 0;
    while (i < a.size() || j < b.size()) {
        if (i < a.size() && j < b.size() && a[i] == b[j]) {
            ++i, ++j;
            continue;
        }
        out.push_back(change_at(a, i, b, j));
        i = out.back().before_end;
        j = out.back().after_end;
    }
    return out;
}

std::string range(std::size_t begin, std::size_t end) {
    // Of no lines the place is the line before.
    return std::to_string(begin == end ? begin : begin + 1) + "," + std::to_string(end - begin);
}

/// Changes [first, last), near to each other, with the lines around them.
void add_hunk(std::string& out, const Lines& a, const Lines& b, const Change* first,
              const Change* last) {
    const std::size_t lead = std::min(first->before, kContext);
    const Change& end = *(last - 1);
    const std::size_t tail = std::min(a.size() - end.before_end, kContext);
    out += "@@ -" + range(first->before - lead, end.before_end + tail) + " +" +
           range(first->after - lead, end.after_end + tail) + " @@\n";
    std::size_t at = first->before - lead;
    for (; first != last; ++first) {
        for (; at < first->before; ++at)
            add_line(out, ' ', a[at]);
        for (; at < first->before_end; ++at)
            add_line(out, '-', a[at]);
        for (std::size_t i = first->after; i < first->after_end; ++i)
            add_line(out, '+', b[i]);
    }
    for (; at < end.before_end + tail; ++at)
        add_line(out, ' ', a[at]);
}

} // namespace

std::string unified_diff(std::string_view path, std::string_view before_text,
                         std::string_view after_text) {
    const Lines before = lines_of(before_text), after = lines_of(after_text);
    const std::vector<Change> changes = changes_of(before, after);
    std::string hunks;
    for (std::size_t i = 0, next = 0; i < changes.size(); i = next) {
        for (next = i + 1; next < changes.size() &&
                           changes[next].before - changes[next - 1].before_end <= 2 * kContext;)
            ++next;
        add_hunk(hunks, before, after, &changes[i], &changes[i] + (next - i));
    }
    if (hunks.empty())
        return {};
    return "--- " + name_of("a", path) + "\n+++ " + name_of("b", path) + "\n" + hunks;
}

} // namespace polecat
