#include "frontend/insertion.h"

#include <algorithm>

namespace polecat::frontend {

namespace {

using yaml::Place;
using yaml::Style;

bool is_object(const Place& mapping) {
    return mapping.find("apiVersion") != nullptr && mapping.find("kind") != nullptr;
}

using Places = std::vector<Place>;

Places::const_iterator first_behind(const Places& places, std::size_t byte) {
    return std::upper_bound(places.begin(), places.end(), byte,
                            [](std::size_t at, const Place& each) { return at < each.begin; });
}

/// The innermost mapping, or object, that holds the byte.
const Place* innermost(const Place& place, std::size_t byte, bool object) {
    if (byte < place.begin || byte > place.end)
        return nullptr;
    // A byte between two is the end of one and the beginning of the other: the latter is meant.
    for (auto child = first_behind(place.children, byte); child != place.children.begin();) {
        if (const Place* found = innermost(*--child, byte, object))
            return found;
        if (child->end < byte)
            break;
    }
    return place.is_mapping() && (!object || is_object(place)) ? &place : nullptr;
}

Place key_place(std::string_view text) {
    Place out;
    out.text = text;
    return out;
}

/// `content` below the keys of the path.
Place wrapped(std::string_view path, Place content) {
    if (path.empty())
        return content;
    const std::size_t dot = std::min(path.find('.'), path.size());
    Place out;
    out.kind = Place::Kind::Mapping;
    out.children.push_back(key_place(path.substr(0, dot)));
    out.children.push_back(
        wrapped(path.substr(std::min(dot + 1, path.size())), std::move(content)));
    return out;
}

/// Extends one collection.
class Writer {
  public:
    Writer(std::string_view text, const yaml::Lines& lines, const Style& style)
        : text_(text), lines_(lines), style_(style) {}

    Result<TextEdit> add(const Place& start, const diag::Addition& addition,
                         const Place& content) const {
        const Place* here = &start;
        const Place* key = nullptr;
        const Place* parent = nullptr;
        for (std::string_view path = addition.path; !path.empty();) {
            const std::string_view word = path.substr(0, path.find('.'));
            const std::string_view rest = path.substr(std::min(word.size() + 1, path.size()));
            if (!here->is_mapping())
                return Error{"what holds `" + std::string(word) + "` is no mapping"};
            const Place* value = here->find(word);
            if (value == nullptr)
                return members(*here, wrapped(path, content), addition.after);
            key = value - 1;
            if (value->is_absent())
                return fill(*here, *key, wrapped(rest, content));
            parent = here;
            here = value;
            path = rest;
        }
        if (content.is_mapping() && here->is_mapping())
            return members(*here, content, addition.after);
        if (content.is_sequence() && here->is_sequence() && parent != nullptr &&
            has_own_line(*here, *parent) && content.children.front().is_mapping())
            return instead_of_empty(*here, *key, content);
        if (content.is_sequence() && here->is_sequence())
            return items(*here, key, content, addition.index);
        return Error{"`" + addition.path + "` is there already"};
    }

  private:
    Result<TextEdit> members(const Place& mapping, const Place& content,
                             const std::string& after) const {
        for (std::size_t i = 0; i < content.children.size(); i += 2)
            if (mapping.find(content.children[i].text) != nullptr)
                return Error{"`" + content.children[i].text + "` is there already"};
        const Place* before = after.empty() ? nullptr : mapping.find(after);
        if (before == nullptr && !mapping.children.empty())
            before = &mapping.children.back();
        if (!in_usual_form(mapping))
            return Error{"the mapping is written as `? key` or as a pair in a list"};
        if (!mapping.flow)
            return lines_behind(*before, mapping.children.front().column, content);
        return within_brackets(mapping, before, before == nullptr ? nullptr : before - 1, content);
    }

    /// With braces, or with keys that begin their lines.
    bool in_usual_form(const Place& mapping) const {
        if (mapping.flow)
            return text_[mapping.inside - 1] == '{';
        const std::size_t key = mapping.children.front().begin;
        const std::size_t line = lines_.begin_of_line(key);
        const std::string_view lead = text_.substr(line, key - line);
        const std::size_t last = lead.find_last_not_of(" \t");
        return last == lead.npos || lead[last] != '?';
    }

    Result<TextEdit> items(const Place& sequence, const Place* key, const Place& content,
                           std::optional<std::size_t> index) const {
        const std::size_t size = sequence.children.size();
        const std::size_t at = std::min(index.value_or(size), size);
        const Place* before = at == 0 ? nullptr : &sequence.children[at - 1];
        if (sequence.flow)
            return within_brackets(sequence, before, before, content);
        before = before == nullptr ? key : before;
        if (before == nullptr || text_[sequence.begin] != '-')
            return Error{"the list does not stand below a key by itself"};
        return lines_behind(*before, sequence.column, content);
    }

    /// `key: []` among lines, with nothing behind it.
    bool has_own_line(const Place& list, const Place& parent) const {
        const std::size_t end = lines_.end_of_line(list.end);
        return !parent.flow && list.flow && list.children.empty() &&
               text_[list.inside - 1] == '[' && list.inside == list.begin + 1 &&
               text_.substr(list.end, end - list.end).find_first_not_of(" \t") == text_.npos;
    }

    /// Rules in one line with `key: [` are hard to read.
    TextEdit instead_of_empty(const Place& list, const Place& key, const Place& content) const {
        TextEdit out{list.begin, list.end, {}};
        while (out.begin > key.end && text_[out.begin - 1] == ' ')
            --out.begin;
        for (const std::string& line : yaml::lines_of(content, style_))
            out.text.append(lines_.line_break())
                .append(key.column - 1 + style_.list_step, ' ')
                .append(line);
        return out;
    }

    /// Below a key without a value.
    Result<TextEdit> fill(const Place& mapping, const Place& key, const Place& content) const {
        if (mapping.flow || content.kind == Place::Kind::Scalar)
            return Error{"`" + key.text + "` is empty"};
        return lines_behind(
            key, key.column + (content.is_mapping() ? style_.mapping_step : style_.list_step),
            content);
    }

    /// Lines behind the line in which `before`, a key or a value, ends with its comment.
    Result<TextEdit> lines_behind(const Place& before, std::size_t column,
                                  const Place& content) const {
        const Place& last = before.last();
        const std::size_t end = lines_.end_of_line(last.end);
        const std::string_view rest = text_.substr(last.end, end - last.end);
        const std::size_t next = rest.find_first_not_of(" \t:");
        if (last.block || (next != rest.npos && (next == 0 || rest[next] != '#')))
            return Error{"something else stands in the line behind which it belongs"};
        TextEdit out{end, end, {}};
        for (const std::string& line : yaml::lines_of(content, style_))
            out.text.append(lines_.line_break()).append(column - 1, ' ').append(line);
        return out;
    }

    /// Behind the value `before` of an element that begins with `element`; nullptr: first.
    TextEdit within_brackets(const Place& collection, const Place* before, const Place* element,
                             const Place& content) const {
        const std::size_t at = before == nullptr ? collection.inside : before->end;
        std::string added = yaml::in_brackets(content, style_);
        added = added.substr(1, added.size() - 2);
        if (before == nullptr && !collection.children.empty())
            added += ", ";
        if (at < text_.size() && text_[at] == '#') // a comment, which needs a blank before it
            added += ' ';
        if (before == nullptr)
            return {at, at, added};
        const std::size_t line = lines_.begin_of_line(element->begin);
        const std::string_view lead = text_.substr(line, element->begin - line);
        const std::size_t end = lines_.end_of_line(before->end);
        const bool comment = text_.substr(before->end, end - before->end).find('#') != lead.npos;
        // An element with a line of its own is followed by one.
        const bool own_line = lead.find_first_not_of(" \t") == lead.npos && !comment;
        return {at, at,
                own_line ? "," + std::string(lines_.line_break()) + std::string(lead) + added
                         : ", " + added};
    }

    std::string_view text_;
    const yaml::Lines& lines_;
    const Style& style_;
};

} // namespace

Insertion::Insertion(std::string_view text)
    : text_(text), lines_(text), outline_(yaml::outline_of(text)) {
    if (outline_)
        for (const Place& document : outline_->documents)
            styles_.push_back(yaml::style_of(document));
}

Result<TextEdit> Insertion::place(const diag::Fix& fix) const {
    if (!outline_)
        return Error{"its text can't be taken apart"};
    if (outline_->aliases)
        return Error{"the file has YAML aliases, so what is edited may count in several places"};
    const auto byte = lines_.byte_at(fix.span.line, fix.span.column);
    const auto content = yaml::outline_of(fix.addition->content);
    const auto& documents = outline_->documents;
    const auto behind = first_behind(documents, byte.value_or(0));
    if (byte && content && !content->documents.empty() && behind != documents.begin()) {
        const auto number = static_cast<std::size_t>(behind - documents.begin()) - 1;
        if (const Place* found = innermost(documents[number], *byte, fix.addition->to_object))
            return Writer(text_, lines_, styles_[number])
                .add(*found, *fix.addition, content->documents.front());
    }
    return Error{"its place is not found in the text"};
}

} // namespace polecat::frontend
