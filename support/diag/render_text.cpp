#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "support/diag/fix.h"
#include "support/diag/printable.h"
#include "support/diag/render.h"

namespace polecat::diag {

namespace {

struct Paint {
    bool on;
    std::string operator()(const char* code, std::string_view text) const {
        return on ? "\033[" + std::string(code) + "m" + std::string(text) + "\033[0m"
                  : std::string(text);
    }
};

const char* colour_of(Severity severity) {
    switch (severity) {
    case Severity::Error:
        return "1;31";
    case Severity::Warning:
        return "1;33";
    case Severity::Note:
        return "1;36";
    }
    return "0";
}

/// A line and the marks below it. Of a long line, the part around the marks.
std::pair<std::string, std::string> marked(std::string_view line, const Span& span, char mark) {
    constexpr std::size_t kLongest = 120, kBefore = 30;
    const auto text = characters(line);
    const std::size_t column = span.column > 0 ? span.column - 1 : 0;
    const bool cut = text.size() > kLongest;
    const std::size_t first = cut && column > kLongest / 2 ? column - kBefore : 0;
    const std::size_t last = std::min(text.size(), first + kLongest);
    std::string shown = first > 0 ? "... " : "";
    const std::string margin(shown.size(), ' ');
    for (std::size_t i = first; i < last; ++i)
        shown += text[i];
    if (last < text.size())
        shown += " ...";
    const std::size_t length = std::min<std::size_t>(std::max(span.length, 1U), kLongest);
    return {shown, margin + std::string(column - first, ' ') + std::string(length, mark)};
}

void excerpt(std::string& out, const Span& span, char mark, const std::string& words,
             const Sources& sources, const Paint& paint, const char* colour) {
    if (!span.known() || span.file.value >= sources.size())
        return;
    const auto [line, marks] = marked(sources.line(span.file, span.line), span, mark);
    const std::string number = std::to_string(span.line);
    const std::string margin(std::max<std::size_t>(number.size(), 5), ' ');
    out += std::string(margin.size() - number.size(), ' ') + number + " | " + line + "\n";
    out += margin + " | " + paint(colour, marks + (words.empty() ? "" : " " + printable(words))) +
           "\n";
}

void render_one(std::string& out, const Diagnostic& d, const Sources& sources, const Paint& paint) {
    const char* colour = colour_of(d.severity);
    out += printable(sources.describe(d.span)) + ": " +
           paint(colour, std::string(to_string(d.severity)) + "[" + label(d.code) + "]") + ": " +
           printable(d.message) + " [" + std::string(info(d.code).slug) + "]\n";
    excerpt(out, d.span, '^', "", sources, paint, colour);
    for (const Label& each : d.labels) {
        if (each.span.file != d.span.file)
            out += "      in " + printable(sources.path(each.span.file)) + "\n";
        excerpt(out, each.span, '~', each.text, sources, paint, "1;34");
    }
    if (!d.object.empty())
        out += "  in " + printable(d.object) + "\n";
    for (const std::string& note : d.notes)
        out += "  note: " + printable(note) + "\n";
    if (d.witness)
        out += "  witness: " + printable(to_string(*d.witness)) + "\n";
    if (!d.proof.empty())
        out += "  holds: " + printable(d.proof) + "\n";
    if (d.hint)
        out += "  hint: " + printable(*d.hint) + "\n";
    if (const std::string fix = fix_line(d); !fix.empty())
        out += "  " + printable(fix) + "\n";
}

} // namespace

std::string render_text(std::span<const Diagnostic> list, const Sources& sources,
                        TextOptions options) {
    std::string out;
    for (const Diagnostic& each : list)
        render_one(out, each, sources, Paint{options.colour});
    return out;
}

} // namespace polecat::diag
