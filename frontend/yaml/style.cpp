#include "frontend/yaml/style.h"

#include <algorithm>

#include "frontend/yaml/node.h"

namespace polecat::yaml {

namespace {

bool is_list_of_words(const Place& place) {
    return place.is_sequence() && !place.children.empty() &&
           std::all_of(place.children.begin(), place.children.end(),
                       [](const Place& each) { return each.kind == Place::Kind::Scalar; });
}

/// What was not seen yet.
struct Seen {
    bool mapping = false, list = false, words = false;
};

void look(const Place& place, Seen& seen, Style& style) {
    if (is_list_of_words(place) && !seen.words) {
        seen.words = true;
        style.flow_lists = place.flow;
    }
    for (std::size_t i = 0; i < place.children.size(); ++i) {
        const Place& value = place.children[i];
        look(value, seen, style);
        if (place.flow || !place.is_mapping() || i % 2 == 0 || value.flow || value.children.empty())
            continue;
        const Place& key = place.children[i - 1];
        const Place& first = value.is_mapping() ? value.children.front() : value;
        // Not behind `? key` and `:`, nor a tag in the line of the key.
        if (first.line == key.line || first.column < key.column)
            continue;
        const std::size_t step = first.column - key.column;
        if (value.is_mapping() && !seen.mapping && step != 0) {
            seen.mapping = true;
            style.mapping_step = step;
        } else if (value.is_sequence() && !seen.list) {
            seen.list = true;
            style.list_step = step;
        }
    }
}

std::string scalar(const Place& place, const Style& style) {
    Node node;
    node.kind = Node::Kind::Scalar;
    node.text = place.text;
    const bool word = place.quoted || resolve_scalar(node) == ScalarType::String;
    return place.quoted || (style.json && word) ? '"' + place.text + '"' : place.text;
}

std::string key_text(const Place& key, const Style& style) {
    return style.json ? '"' + key.text + '"' : scalar(key, style);
}

bool fits_in_line(const Place& value, const Style& style) {
    return value.children.empty() || (style.flow_lists && is_list_of_words(value));
}

void append(const TextLines& lines, const std::string& first, const std::string& others,
            TextLines& out) {
    for (std::size_t i = 0; i < lines.size(); ++i)
        out.push_back((i == 0 ? first : others) + lines[i]);
}

void append_member(const Place& key, const Place& value, const Style& style, TextLines& out) {
    if (value.kind == Place::Kind::Scalar || fits_in_line(value, style)) {
        out.push_back(member_in_brackets(key, value, style));
        return;
    }
    const std::string indent(value.is_mapping() ? style.mapping_step : style.list_step, ' ');
    out.push_back(key_text(key, style) + ":");
    append(lines_of(value, style), indent, indent, out);
}

void append_item(const Place& item, const Style& style, TextLines& out) {
    if (item.kind == Place::Kind::Scalar || fits_in_line(item, style))
        out.push_back("- " + in_brackets(item, style));
    else
        append(lines_of(item, style), "- ", "  ", out);
}

} // namespace

Style style_of(const Place& document) {
    Style out;
    Seen seen;
    look(document, seen, out);
    out.json = document.flow && !document.children.empty() && document.children.front().quoted;
    return out;
}

std::string in_brackets(const Place& value, const Style& style) {
    if (value.kind == Place::Kind::Scalar)
        return scalar(value, style);
    std::string out;
    for (std::size_t i = 0; i < value.children.size(); i += value.is_mapping() ? 2 : 1) {
        out += i == 0 ? "" : ", ";
        out += value.is_mapping()
                   ? member_in_brackets(value.children[i], value.children[i + 1], style)
                   : in_brackets(value.children[i], style);
    }
    return value.is_mapping() ? "{" + out + "}" : "[" + out + "]";
}

std::string member_in_brackets(const Place& key, const Place& value, const Style& style) {
    return key_text(key, style) + ": " + in_brackets(value, style);
}

TextLines lines_of(const Place& collection, const Style& style) {
    TextLines out;
    if (collection.is_mapping())
        for (std::size_t i = 0; i + 1 < collection.children.size(); i += 2)
            append_member(collection.children[i], collection.children[i + 1], style, out);
    else
        for (const Place& item : collection.children)
            append_item(item, style, out);
    return out;
}

} // namespace polecat::yaml
