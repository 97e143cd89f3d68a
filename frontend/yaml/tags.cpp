#include "frontend/yaml/tags.h"

#include <algorithm>

#include "support/diag/fix.h"

namespace polecat::yaml {

namespace {

constexpr std::string_view kYaml = "tag:yaml.org,2002:";
constexpr const char* kQuoteIt =
    "a value that begins with `!` is a YAML tag: quote the whole value";

std::string in_quotes(std::string_view source) {
    if (source.find_first_of("\"\\") == std::string_view::npos)
        return "\"" + std::string(source) + "\"";
    std::string out = "'";
    for (const char c : source)
        out += c == '\'' ? std::string("''") : std::string(1, c);
    return out + "'";
}

bool refuse(std::string_view source, const Node& scalar, diag::Diagnostics& diagnostics) {
    const std::string_view tag = source.substr(0, source.find_first_of(" \t\r\n"));
    const std::string quoted = in_quotes(source);
    auto& diagnostic = diagnostics.report(
        diag::Code::YamlTag, scalar.span,
        {tag, scalar.text.empty() ? std::string("empty") : "`" + scalar.text + "`"});
    diagnostic.with_note("Kubernetes' reader drops a tag that it does not know, without a word");
    if (source.find('\n') == std::string_view::npos)
        diagnostic.with_hint("quote it: " + quoted)
            .with_fix(diag::replace_text(scalar.span, std::string(source), quoted, "quote it"));
    else
        diagnostic.with_hint(kQuoteIt);
    return false;
}

/// The type that a tag of YAML asks for; nullopt: any.
std::optional<ScalarType> type_of(std::string_view name) {
    if (name == "null")
        return ScalarType::Null;
    if (name == "bool")
        return ScalarType::Boolean;
    if (name == "int")
        return ScalarType::Integer;
    if (name == "float")
        return ScalarType::Float;
    return std::nullopt;
}

std::string_view trimmed(std::string_view line) {
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos)
        return {};
    return line.substr(first, line.find_last_not_of(" \t\r") + 1 - first);
}

/// Dashes alone, and not the separator as it must be.
bool is_misspelt_separator(std::string_view line) {
    const std::string_view dashes = trimmed(line);
    return dashes.size() > 1 && dashes.find_first_not_of('-') == std::string_view::npos &&
           !(dashes == "---" && line.starts_with("---"));
}

bool has_tagged_value(std::string_view line) {
    const std::string_view text = trimmed(line);
    return text.find(": !") != std::string_view::npos || text.starts_with("- !");
}

} // namespace

bool apply_tag(std::string_view tag, std::string_view source, Node& scalar,
               diag::Diagnostics& diagnostics) {
    if (tag.empty()) // libyaml keeps no lone `!`
        return !source.starts_with('!') || refuse(source, scalar, diagnostics);
    if (!tag.starts_with(kYaml))
        return refuse(source, scalar, diagnostics);
    const std::string_view name = tag.substr(kYaml.size());
    const auto wanted = type_of(name);
    if (!wanted) {
        scalar.quoted = scalar.quoted || name == "str" || name == "binary";
        return true;
    }
    scalar.quoted = false; // `!!int "8080"` is a number
    const ScalarType found = resolve_scalar(scalar);
    if (found == *wanted || (*wanted == ScalarType::Float && found == ScalarType::Integer))
        return true;
    diagnostics.report(
        diag::Code::YamlSyntax, scalar.span,
        {"`" + scalar.text + "` has the tag !!" + std::string(name) + ", and is no such value"});
    return false;
}

std::size_t SourceText::byte_of(std::size_t from, std::size_t characters) const {
    const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
    for (; from < text_.size(); ++from) {
        if (!begins(text_[from]))
            continue;
        if (characters == 0)
            break;
        --characters;
    }
    return from;
}

std::string_view SourceText::cut(std::size_t begin, std::size_t end) {
    if (begin < index_)
        byte_ = index_ = 0;
    byte_ = byte_of(byte_, begin - index_);
    index_ = begin;
    return text_.substr(byte_, byte_of(byte_, end - begin) - byte_);
}

std::string_view SourceText::line(std::size_t line) const {
    std::size_t at = 0;
    for (; line > 0 && at != std::string_view::npos; --line) {
        at = text_.find('\n', at);
        at = at == std::string_view::npos ? at : at + 1;
    }
    if (at == std::string_view::npos)
        return {};
    return text_.substr(at, std::min(text_.find('\n', at), text_.size()) - at);
}

std::optional<std::string> hint_for(const SourceText& source, std::size_t line) {
    for (const std::size_t each : {line, line - 1, line + 1}) {
        if (each > line + 1) // before the first
            continue;
        if (is_misspelt_separator(source.line(each)))
            return "documents are separated by a line that begins with `---`";
        if (each != line + 1 && has_tagged_value(source.line(each)))
            return kQuoteIt;
    }
    return std::nullopt;
}

} // namespace polecat::yaml
