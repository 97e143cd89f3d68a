#include "frontend/yaml/events.h"

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

/// A stretch of the file between `---` lines.
struct Chunk {
    std::string_view text;
    std::uint32_t first_line;
};

bool is_separator(std::string_view line) {
    return line.substr(0, 3) == "---" && (line.size() == 3 || line[3] == ' ' || line[3] == '\r');
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

bool looks_like_template(std::string_view text) {
    const std::size_t at = text.find("{{");
    return at != std::string_view::npos && text.find("}}", at) != std::string_view::npos;
}

/// A document that libyaml can't read but that is a template: say that instead.
bool report_template(const Chunk& chunk, FileId file, diag::Diagnostics& diagnostics) {
    if (!looks_like_template(chunk.text))
        return false;
    Span place = place_of_byte(chunk.text, file, chunk.text.find("{{"));
    place.line += chunk.first_line - 1;
    place.length = 2;
    diagnostics.report(diag::Code::UnrenderedTemplate, place)
        .with_hint("render it first: `helm template . | polecat lint -`");
    return true;
}

/// Each chunk on its own, so that one broken document does not hide the others.
void read_chunks(std::string_view text, FileId file, const Limits& limits,
                 diag::Diagnostics& diagnostics, std::vector<Document>& out) {
    for (const Chunk& chunk : chunks_of(text)) {
        diag::Diagnostics found;
        std::vector<Document> documents;
        if (!read_stream(chunk.text, file, chunk.first_line, limits, found, documents) &&
            report_template(chunk, file, diagnostics))
            continue;
        diagnostics.append(found);
        for (Document& each : documents)
            out.push_back(std::move(each));
    }
}

} // namespace

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
        diagnostics.report(diag::Code::NotUtf8, place_of_byte(text, file, bad));
        return out;
    }
    diag::Diagnostics found;
    if (read_stream(text, file, 1, limits, found, out)) {
        diagnostics.append(found);
        return out;
    }
    out.clear();
    read_chunks(text, file, limits, diagnostics, out);
    return out;
}

} // namespace polecat::yaml
