#include <charconv>

#include "frontend/yaml/events.h"
#include "frontend/yaml/lines.h"

namespace polecat::yaml {

namespace {

/// The byte at which the text stops being UTF-8 (RFC 3629), or npos.
std::size_t first_bad_byte(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const std::size_t length = byte < 0x80   ? 1
                                   : byte < 0xc2 ? 0
                                   : byte < 0xe0 ? 2
                                   : byte < 0xf0 ? 3
                                   : byte < 0xf5 ? 4
                                                 : 0;
        if (length == 0 || i + length > text.size())
            return i;
        for (std::size_t k = 1; k < length; ++k)
            if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80)
                return i;
        const auto second = length > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
        if ((byte == 0xe0 && second < 0xa0) || (byte == 0xed && second > 0x9f) ||
            (byte == 0xf0 && second < 0x90) || (byte == 0xf4 && second > 0x8f))
            return i;
        i += length;
    }
    return std::string_view::npos;
}

Span place_of_byte(std::string_view text, FileId file, std::size_t at) {
    std::uint32_t line = 1, column = 1;
    for (std::size_t i = 0; i < at; ++i) {
        if (text[i] == '\n') {
            ++line;
            column = 0;
        }
        ++column;
    }
    return {file, line, column, 1};
}

/// Where a statement of a template begins: of Go and Jinja, `{% if %}`, Terraform's `%{ if }`,
/// FreeMarker's `<#if>`, `<% if %>`.
std::size_t find_template(std::string_view text) {
    const std::pair<std::string_view, std::string_view> kinds[] = {
        {"{{", "}}"}, {"{%", "%}"}, {"%{", "}"}, {"<#", ">"}, {"<%", "%>"}};
    for (const auto& [begin, end] : kinds)
        if (const std::size_t at = text.find(begin);
            at != std::string_view::npos && text.find(end, at) != std::string_view::npos)
            return at;
    return std::string_view::npos;
}

/// `%%NAME%%`, `@NAME@`: marks that a text cannot begin with.
std::size_t find_mark(std::string_view text) {
    for (const std::string_view mark : {"%%", "@"})
        for (std::size_t at = text.find(mark); at != std::string_view::npos;
             at = text.find(mark, at + 1)) {
            const std::size_t begin = at + mark.size();
            std::size_t end = begin;
            while (end < text.size() &&
                   ((text[end] >= 'A' && text[end] <= 'Z') ||
                    (text[end] >= '0' && text[end] <= '9') || text[end] == '_'))
                ++end;
            if (end > begin + 1 && text.substr(end, mark.size()) == mark)
                return at;
        }
    return std::string_view::npos;
}

/// A document that libyaml can't read but that is a template: say that instead.
bool report_template(const Chunk& chunk, FileId file, diag::Diagnostics& diagnostics) {
    const std::size_t at = std::min(find_template(chunk.text), find_mark(chunk.text));
    if (at == std::string_view::npos)
        return false;
    Span place = place_of_byte(chunk.text, file, at);
    place.line += chunk.first_line - 1;
    place.length = 2;
    diagnostics.report(diag::Code::UnrenderedTemplate, place).with_hint(kRenderFirst);
    return true;
}

/// Each chunk on its own, so that one broken document does not hide the others.
void read_chunks(std::string_view text, FileId file, Budget& budget, diag::Diagnostics& diagnostics,
                 std::vector<Document>& out) {
    std::size_t errors = 0;
    for (const Chunk& chunk : chunks_of(text)) {
        diag::Diagnostics found;
        std::vector<Document> documents;
        if (!read_stream(chunk.text, file, chunk.first_line, budget, found, documents) &&
            !budget.spent && report_template(chunk, file, diagnostics))
            continue;
        errors += found.count(diag::Severity::Error);
        diagnostics.append(found);
        for (Document& each : documents)
            out.push_back(std::move(each));
        if (budget.spent || errors > budget.limits.max_errors)
            return;
    }
}

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// JSON escapes of characters beyond 16 bits are two halves, which YAML knows nothing of.
std::string with_whole_characters(std::string_view text) {
    std::string out;
    const auto unit = [&](std::size_t at) -> std::uint32_t {
        std::uint32_t value = 0;
        if (at + 6 > text.size() || text.substr(at, 2) != "\\u" ||
            std::from_chars(text.data() + at + 2, text.data() + at + 6, value, 16).ptr !=
                text.data() + at + 6)
            return 0;
        return value;
    };
    for (std::size_t i = 0; i < text.size();) {
        const std::uint32_t high = text[i] == '\\' ? unit(i) : 0, low = high ? unit(i + 6) : 0;
        if (high >= 0xD800 && high < 0xDC00 && low >= 0xDC00 && low < 0xE000) {
            const std::uint32_t code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
            for (const auto& [shift, mark] :
                 {std::pair{18u, 0xF0u}, {12u, 0x80u}, {6u, 0x80u}, {0u, 0x80u}})
                out += static_cast<char>(mark | (code >> shift & (shift == 18 ? 0x07u : 0x3Fu)));
            i += 12;
        } else {
            if (text[i] == '\\' && i + 1 < text.size())
                out += text[i++];
            out += text[i++];
        }
    }
    return out;
}

bool is_json(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

/// JSON documents one after the other, as logs and `kubectl` pipelines have them.
std::vector<Chunk> json_values(std::string_view text) {
    std::vector<Chunk> out;
    std::size_t depth = 0, begin = std::string_view::npos;
    std::uint32_t line = 1, first_line = 1;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        line += c == '\n' ? 1 : 0;
        if (quoted) {
            i += c == '\\' ? 1 : 0;
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            if (depth++ == 0) {
                begin = i;
                first_line = line;
            }
        } else if ((c == '}' || c == ']') && depth > 0 && --depth == 0) {
            out.push_back({text.substr(begin, i + 1 - begin), first_line});
        }
    }
    return out;
}

/// What the reader of YAML can't take although it is JSON.
bool read_json(std::string_view text, FileId file, Budget& budget, std::vector<Document>& out) {
    const std::string whole = with_whole_characters(text);
    diag::Diagnostics unused;
    for (const Chunk& chunk : json_values(whole))
        if (!read_stream(chunk.text, file, chunk.first_line, budget, unused, out) ||
            unused.has_errors())
            return false;
    return !out.empty();
}

} // namespace

bool looks_like_template(std::string_view text) {
    const std::size_t at = text.find("{{");
    return at != std::string_view::npos && text.find("}}", at) != std::string_view::npos;
}

std::vector<Document> read_documents(const Sources& sources, FileId file,
                                     diag::Diagnostics& diagnostics, const Limits& limits) {
    std::string_view text = sources.text(file);
    std::vector<Document> out;
    if (text.size() > limits.max_bytes) {
        diagnostics.report(diag::Code::YamlLimit, {file, 0, 0, 0},
                           {"more than " + std::to_string(limits.max_bytes) + " bytes"});
        return out;
    }
    if (const std::size_t bad = first_bad_byte(text); bad != std::string_view::npos) {
        auto& diagnostic = diagnostics.report(diag::Code::NotUtf8, place_of_byte(text, file, bad));
        if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
            diagnostic.with_hint("it is UTF-16, as PowerShell's `>` writes it: save it as UTF-8");
        return out;
    }
    if (text.starts_with(kByteOrderMark))
        text.remove_prefix(kByteOrderMark.size());
    diag::Diagnostics found;
    Budget budget{limits};
    if (read_stream(text, file, 1, budget, found, out)) {
        diagnostics.append(found);
        return out;
    }
    out.clear();
    Budget again{limits};
    if (!budget.spent && is_json(text) && read_json(text, file, again, out))
        return out;
    out.clear();
    Budget rest{limits};
    if (budget.spent)
        diagnostics.append(found);
    else
        read_chunks(text, file, rest, diagnostics, out);
    return out;
}

} // namespace polecat::yaml
