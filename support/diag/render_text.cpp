#include <algorithm>
#include <map>

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

/// The line with tabs as blanks, so that carets stand below what they mean.
std::string shown(std::string_view line) {
    std::string text(line);
    std::replace(text.begin(), text.end(), '\t', ' ');
    constexpr std::size_t kLongest = 160;
    if (text.size() > kLongest)
        text = text.substr(0, kLongest) + " ...";
    return text;
}

std::string marks(const Span& span, char mark) {
    const std::uint32_t column = std::min<std::uint32_t>(span.column, 160);
    const std::uint32_t length = std::min<std::uint32_t>(std::max(span.length, 1U), 160);
    return std::string(column > 0 ? column - 1 : 0, ' ') + std::string(length, mark);
}

void excerpt(std::string& out, const Span& span, char mark, const std::string& words,
             const Sources& sources, const Paint& paint, const char* colour) {
    if (!span.known() || span.file.value >= sources.size())
        return;
    const std::string number = std::to_string(span.line);
    const std::string margin(std::max<std::size_t>(number.size(), 5), ' ');
    out += std::string(margin.size() - number.size(), ' ') + number + " | " +
           shown(sources.line(span.file, span.line)) + "\n";
    out += margin + " | " + paint(colour, marks(span, mark) + (words.empty() ? "" : " " + words)) +
           "\n";
}

void render_one(std::string& out, const Diagnostic& d, const Sources& sources, const Paint& paint) {
    const char* colour = colour_of(d.severity);
    out += sources.describe(d.span) + ": " +
           paint(colour, std::string(to_string(d.severity)) + "[" + label(d.code) + "]") + ": " +
           d.message + " [" + std::string(info(d.code).slug) + "]\n";
    excerpt(out, d.span, '^', "", sources, paint, colour);
    for (const Label& each : d.labels) {
        if (each.span.file != d.span.file)
            out += "      in " + sources.path(each.span.file) + "\n";
        excerpt(out, each.span, '~', each.text, sources, paint, "1;34");
    }
    if (!d.object.empty())
        out += "  in " + d.object + "\n";
    for (const std::string& note : d.notes)
        out += "  note: " + note + "\n";
    if (d.hint)
        out += "  hint: " + *d.hint + "\n";
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
