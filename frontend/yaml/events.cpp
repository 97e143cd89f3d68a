#include "frontend/yaml/events.h"

#include <yaml.h>

#include <cstring>
#include <map>
#include <unordered_map>

#include "frontend/yaml/tags.h"

namespace polecat::yaml {

namespace {

/// One libyaml event, freed at the end of its scope.
struct Event {
    yaml_event_t raw{};
    bool filled = false;
    Event() = default;
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    ~Event() {
        if (filled)
            yaml_event_delete(&raw);
    }
};

struct Anchor {
    Node node;
    std::size_t size = 0; ///< nodes in it; long texts count as several
};

constexpr std::size_t kTextOfOneNode = 128;

/// `<<: value`, and how many keys stood before it.
struct Merge {
    Node value;
    std::size_t keys_before = 0;
};

/// Keys of one mapping: looked through while they are few, by hash when they are many.
class Keys {
  public:
    const Member* find(const Node& mapping, const std::string& key) {
        if (mapping.members.size() <= kFew) {
            for (const Member& each : mapping.members)
                if (each.key == key)
                    return &each;
            return nullptr;
        }
        for (; known_ < mapping.members.size(); ++known_)
            places_.emplace(mapping.members[known_].key, known_);
        const auto found = places_.find(key);
        return found == places_.end() ? nullptr : &mapping.members[found->second];
    }

  private:
    static constexpr std::size_t kFew = 16;
    std::size_t known_ = 0;
    std::unordered_map<std::string, std::size_t> places_;
};

/// Builds the tree of one stream. Depth is bounded before recursion goes deeper.
class Builder {
  public:
    Builder(std::string_view text, FileId file, std::uint32_t first_line, Budget& budget,
            diag::Diagnostics& diagnostics)
        : text_(text), source_(text), file_(file), first_line_(first_line), budget_(budget),
          limits_(budget.limits), diagnostics_(diagnostics) {
        yaml_parser_initialize(&parser_);
        yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                     text.size());
        yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    }
    Builder(const Builder&) = delete;
    Builder& operator=(const Builder&) = delete;
    ~Builder() { yaml_parser_delete(&parser_); }

    bool read(std::vector<Document>& out) {
        for (;;) {
            Event event;
            if (!next(event))
                return false;
            if (event.raw.type == YAML_STREAM_END_EVENT)
                return true;
            if (event.raw.type == YAML_DOCUMENT_START_EVENT && !document(out))
                return false;
        }
    }

  private:
    bool next(Event& event) {
        if (yaml_parser_parse(&parser_, &event.raw) == 0) {
            report_syntax();
            return false;
        }
        event.filled = true;
        return true;
    }

    bool document(std::vector<Document>& out) {
        anchors_.clear();
        broken_ = lacks_separator_ = false;
        Document document;
        document.file = file_;
        Event event;
        if (!next(event) || !node(event, document.root, 0))
            return false;
        Event end;
        if (!next(end))
            return false;
        if (!broken_ && !document.root.is_null())
            out.push_back(std::move(document));
        return true;
    }

    Span span(const yaml_event_t& event) const {
        const yaml_mark_t& from = event.start_mark;
        const yaml_mark_t& to = event.end_mark;
        const std::size_t length =
            to.line == from.line && to.column > from.column ? to.column - from.column : 1;
        return at(from, length);
    }

    Span at(const yaml_mark_t& mark, std::size_t length) const {
        return {file_, static_cast<std::uint32_t>(mark.line) + first_line_,
                static_cast<std::uint32_t>(mark.column) + 1, static_cast<std::uint32_t>(length)};
    }

    /// libyaml gives errors of single bytes by their offset only.
    Span place_of_problem() const {
        if (parser_.error != YAML_READER_ERROR)
            return at(parser_.problem_mark, 1);
        yaml_mark_t mark{};
        for (std::size_t i = 0; i < parser_.problem_offset && i < text_.size(); ++i) {
            const bool starts = (static_cast<unsigned char>(text_[i]) & 0xC0) != 0x80;
            mark.column = text_[i] == '\n' ? 0 : mark.column + (starts ? 1 : 0);
            mark.line += text_[i] == '\n' ? 1 : 0;
        }
        return at(mark, 1);
    }

    void report_syntax() {
        std::string problem = parser_.problem != nullptr ? parser_.problem : "cannot be read";
        if (parser_.context != nullptr)
            problem = std::string(parser_.context) + ": " + problem;
        auto& diagnostic =
            diagnostics_.report(diag::Code::YamlSyntax, place_of_problem(), {problem});
        if (const auto hint = hint_for(source_, parser_.problem_mark.line))
            diagnostic.with_hint(*hint);
        else if (problem.find("character that cannot start any token") != std::string::npos)
            diagnostic.with_hint("indent with blanks; a tab, `@`, `%` or a backquote needs quotes");
    }

    bool over_limit(const Span& where, std::size_t limit, const char* what) {
        budget_.spent = true;
        diagnostics_.report(diag::Code::YamlLimit, where,
                            {"more than " + std::to_string(limit) + " " + what});
        return false;
    }

    bool count(std::size_t added, const Span& where) {
        budget_.nodes += added;
        return budget_.nodes <= limits_.max_nodes || over_limit(where, limits_.max_nodes, "values");
    }

    /// What anchors keep, and aliases and merges repeat.
    bool count_copy(std::size_t size, const Span& where) {
        budget_.copied += size;
        return budget_.copied <= limits_.max_alias_nodes ||
               over_limit(where, limits_.max_alias_nodes, "values by anchors and aliases");
    }

    static std::size_t size_of(const Node& node) {
        std::size_t out = 1 + node.text.size() / kTextOfOneNode;
        for (const Node& item : node.items)
            out += size_of(item);
        for (const Member& member : node.members)
            out += size_of(member.value) + 1 + member.key.size() / kTextOfOneNode;
        return out;
    }

    bool node(Event& event, Node& out, std::size_t depth) {
        const Span where = span(event.raw);
        out.span = where;
        if (!count(1, where))
            return false;
        if (depth > limits_.max_depth) {
            diagnostics_.report(diag::Code::YamlLimit, where,
                                {"more than " + std::to_string(limits_.max_depth) + " levels"});
            return false;
        }
        switch (event.raw.type) {
        case YAML_ALIAS_EVENT:
            return alias(event.raw, out);
        case YAML_SCALAR_EVENT:
            scalar(event.raw, out);
            return keep(anchor_name(event.raw.data.scalar.anchor), out);
        case YAML_SEQUENCE_START_EVENT:
            return sequence(event, out, depth);
        case YAML_MAPPING_START_EVENT:
            return mapping(event, out, depth);
        default:
            return false;
        }
    }

    bool keep(const std::string& name, const Node& node) {
        if (name.empty())
            return true;
        const std::size_t size = size_of(node);
        if (!count_copy(size, node.span))
            return false;
        anchors_[name] = {node, size};
        return true;
    }

    bool alias(const yaml_event_t& event, Node& out) {
        const std::string name = reinterpret_cast<const char*>(event.data.alias.anchor);
        const auto found = anchors_.find(name);
        if (found == anchors_.end()) {
            diagnostics_.report(diag::Code::YamlSyntax, span(event),
                                {"alias `*" + name + "` has no anchor before it"});
            broken_ = true;
            return true;
        }
        if (!count_copy(found->second.size, span(event)))
            return false;
        out = found->second.node;
        return true;
    }

    void scalar(const yaml_event_t& event, Node& out) {
        const auto& data = event.data.scalar;
        out.text.assign(reinterpret_cast<const char*>(data.value), data.length);
        out.quoted = data.style != YAML_PLAIN_SCALAR_STYLE;
        out.kind = Node::Kind::Scalar;
        const std::string_view tag =
            data.tag != nullptr ? reinterpret_cast<const char*>(data.tag) : "";
        broken_ |= !apply_tag(tag, source_.cut(event.start_mark.index, event.end_mark.index), out,
                              diagnostics_);
        if (!out.quoted && resolve_scalar(out) == ScalarType::Null)
            out.kind = Node::Kind::Null;
    }

    bool sequence(const Event& start, Node& out, std::size_t depth) {
        out.kind = Node::Kind::Sequence;
        const std::string name = anchor_name(start.raw.data.sequence_start.anchor);
        for (;;) {
            Event event;
            if (!next(event))
                return false;
            if (event.raw.type == YAML_SEQUENCE_END_EVENT)
                break;
            out.items.emplace_back();
            if (!node(event, out.items.back(), depth + 1))
                return false;
        }
        return keep(name, out);
    }

    static std::string anchor_name(const yaml_char_t* name) {
        return name != nullptr ? reinterpret_cast<const char*>(name) : "";
    }

    bool mapping(const Event& start, Node& out, std::size_t depth) {
        out.kind = Node::Kind::Mapping;
        const std::string name = anchor_name(start.raw.data.mapping_start.anchor);
        std::vector<Merge> merges;
        Keys keys;
        for (;;) {
            Event key;
            if (!next(key))
                return false;
            if (key.raw.type == YAML_MAPPING_END_EVENT)
                break;
            if (!member(key, out, merges, keys, depth))
                return false;
        }
        for (const Merge& merge : merges)
            if (!merge_into(out, merge.value, merge.keys_before, keys))
                return false;
        return keep(name, out);
    }

    bool member(Event& key, Node& out, std::vector<Merge>& merges, Keys& keys, std::size_t depth) {
        Node key_node;
        if (!node(key, key_node, depth + 1))
            return false;
        Event event;
        if (!next(event))
            return false;
        Node value;
        if (!node(event, value, depth + 1))
            return false;
        if (!key_node.is_scalar()) {
            report_template_or_key(key_node);
            return true;
        }
        if (key_node.text == "<<" && !key_node.quoted) {
            merges.push_back({std::move(value), out.members.size()});
            return true;
        }
        settle_key(key_node);
        if (const Member* first = keys.find(out, key_node.text)) {
            if (says_the_same(*first, value, depth == 0 && keys.find(out, "metadata") != nullptr))
                report_repeated(key_node, *first);
            else if (depth > 0 || !lacks_separator_)
                report_duplicate(key_node, *first, depth == 0);
            return true;
        }
        out.members.push_back({std::move(key_node.text), key_node.span, std::move(value)});
        return true;
    }

    /// `in_object`: after its metadata the next object may begin, and say what this one says.
    static bool says_the_same(const Member& first, const Node& value, bool in_object) {
        return !in_object && first.value.is_scalar() && value.is_scalar() &&
               first.value.text == value.text && first.value.quoted == value.quoted;
    }

    void report_repeated(const Node& key, const Member& first) {
        auto& diagnostic = diagnostics_.report(diag::Code::DuplicateKey, key.span, {key.text});
        diagnostic.with_label(first.key_span, "first here")
            .with_hint("both say the same; one of them can go");
        diagnostic.severity = diag::Severity::Note;
    }

    /// A second object where a new document should begin has each key of the first: said once.
    void report_duplicate(const Node& key, const Member& first, bool at_root) {
        broken_ = true;
        const bool begins = at_root && (key.text == "apiVersion" || key.text == "kind");
        lacks_separator_ |= begins;
        diagnostics_.report(diag::Code::DuplicateKey, key.span, {key.text})
            .with_label(first.key_span, "first here")
            .with_note("most readers keep the last one and drop the other without a word")
            .with_hint(begins ? "put a line `---` before it if another object begins here"
                              : "merge both into one `" + key.text + "`");
    }

    /// Kubernetes' reader makes text of whole numbers and booleans (sigs.k8s.io/yaml), which of
    /// `on` and `y` nobody expects.
    void settle_key(Node& key) {
        const ScalarType type = resolve_scalar(key);
        if (type == ScalarType::String)
            return;
        const auto number = type == ScalarType::Integer ? as_integer(key) : std::nullopt;
        const auto boolean = as_boolean(key);
        if (!number) {
            auto& diagnostic = diagnostics_.report(diag::Code::YamlKey, key.span, {key.text});
            diagnostic.with_hint("quote it: \"" + key.text + "\"");
            if (boolean) {
                diagnostic.severity = diag::Severity::Warning;
                diagnostic.with_note(std::string("Kubernetes reads it as `") +
                                     (*boolean ? "true" : "false") + "`");
            }
            broken_ = broken_ || !boolean;
        }
        if (number)
            key.text = std::to_string(*number);
        else if (boolean)
            key.text = *boolean ? "true" : "false";
    }

    /// `{{ x }}` outside quotes reads as a mapping in a mapping's key.
    void report_template_or_key(const Node& key) {
        broken_ = true;
        if (key.is_mapping())
            diagnostics_.report(diag::Code::UnrenderedTemplate, key.span).with_hint(kRenderFirst);
        else
            diagnostics_.report(diag::Code::YamlKey, key.span, {"(a collection)"});
    }

    /// A key after `<<`, and an earlier mapping of a list, win over a merged one. With a key before
    /// `<<` readers differ (YAML says the key, Kubernetes' reader takes the merged one): refused.
    bool merge_into(Node& out, const Node& merge, std::size_t keys_before, Keys& keys) {
        if (merge.is_sequence()) {
            for (const Node& each : merge.items)
                if (!merge_into(out, each, keys_before, keys))
                    return false;
            return true;
        }
        if (!merge.is_mapping()) {
            broken_ = true;
            diagnostics_.report(diag::Code::YamlSyntax, merge.span,
                                {"`<<` merges a mapping, and this is none"});
            return true;
        }
        for (const Member& each : merge.members) {
            if (const Member* first = keys.find(out, each.key)) {
                if (first < out.members.data() + keys_before)
                    report_duplicate_merge(each, *first);
                continue;
            }
            if (!count_copy(size_of(each.value), each.key_span))
                return false;
            out.members.push_back(each);
        }
        return true;
    }

    void report_duplicate_merge(const Member& merged, const Member& first) {
        broken_ = true;
        diagnostics_.report(diag::Code::DuplicateKey, first.key_span, {first.key})
            .with_label(merged.key_span, "merged in from here")
            .with_note("readers differ in which of the two they take")
            .with_hint("write `<<` first: then `" + first.key + "` below it wins everywhere");
    }

    std::string_view text_;
    SourceText source_;
    yaml_parser_t parser_{};
    FileId file_;
    std::uint32_t first_line_;
    Budget& budget_;
    const Limits& limits_;
    diag::Diagnostics& diagnostics_;
    std::unordered_map<std::string, Anchor> anchors_;
    bool broken_ = false;
    bool lacks_separator_ = false; ///< of this document, which was said
};

} // namespace

bool read_stream(std::string_view text, FileId file, std::uint32_t first_line, Budget& budget,
                 diag::Diagnostics& diagnostics, std::vector<Document>& out) {
    return Builder(text, file, first_line, budget, diagnostics).read(out);
}

} // namespace polecat::yaml
