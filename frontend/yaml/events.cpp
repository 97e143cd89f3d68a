#include "frontend/yaml/events.h"

#include <yaml.h>

#include <cstring>
#include <map>
#include <unordered_map>

namespace polecat::yaml {

namespace {

constexpr std::string_view kStringTag = "tag:yaml.org,2002:str";

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
    std::size_t size = 0; ///< nodes in it
};

/// Builds the tree of one stream. Depth is bounded before recursion goes deeper.
class Builder {
  public:
    Builder(std::string_view text, FileId file, std::uint32_t first_line, const Limits& limits,
            diag::Diagnostics& diagnostics)
        : file_(file), first_line_(first_line), limits_(limits), diagnostics_(diagnostics) {
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
        nodes_ = 0;
        broken_ = false;
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

    void report_syntax() {
        std::string problem = parser_.problem != nullptr ? parser_.problem : "cannot be read";
        if (parser_.context != nullptr)
            problem = std::string(parser_.context) + ": " + problem;
        auto& diagnostic =
            diagnostics_.report(diag::Code::YamlSyntax, at(parser_.problem_mark, 1), {problem});
        if (problem.find("character that cannot start any token") != std::string::npos)
            diagnostic.with_hint("indent with blanks; a tab, `@`, `%` or a backquote needs quotes");
    }

    /// Counts nodes against the limit; alias expansion counts in full.
    bool count(std::size_t added, const Span& where) {
        nodes_ += added;
        if (nodes_ <= limits_.max_nodes)
            return true;
        diagnostics_.report(diag::Code::YamlLimit, where,
                            {"more than " + std::to_string(limits_.max_nodes) + " values"});
        return false;
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
            return anchor(event.raw.data.scalar.anchor, out, 1);
        case YAML_SEQUENCE_START_EVENT:
            return sequence(event, out, depth);
        case YAML_MAPPING_START_EVENT:
            return mapping(event, out, depth);
        default:
            return false;
        }
    }

    bool anchor(const yaml_char_t* name, const Node& node, std::size_t size) {
        if (name != nullptr)
            anchors_[reinterpret_cast<const char*>(name)] = {node, size};
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
        if (!count(found->second.size, span(event)))
            return false;
        out = found->second.node;
        return true;
    }

    void scalar(const yaml_event_t& event, Node& out) {
        const auto& data = event.data.scalar;
        out.text.assign(reinterpret_cast<const char*>(data.value), data.length);
        const bool plain = data.style == YAML_PLAIN_SCALAR_STYLE;
        const bool string_tag =
            data.tag != nullptr && kStringTag == reinterpret_cast<const char*>(data.tag);
        out.quoted = !plain || string_tag;
        out.kind = Node::Kind::Scalar;
        if (!out.quoted && resolve_scalar(out) == ScalarType::Null)
            out.kind = Node::Kind::Null;
    }

    bool sequence(const Event& start, Node& out, std::size_t depth) {
        const std::size_t before = nodes_;
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
        if (!name.empty())
            anchors_[name] = {out, nodes_ - before + 1};
        return true;
    }

    static std::string anchor_name(const yaml_char_t* name) {
        return name != nullptr ? reinterpret_cast<const char*>(name) : "";
    }

    bool mapping(const Event& start, Node& out, std::size_t depth) {
        const std::size_t before = nodes_;
        out.kind = Node::Kind::Mapping;
        const std::string name = anchor_name(start.raw.data.mapping_start.anchor);
        std::vector<Node> merges;
        for (;;) {
            Event key;
            if (!next(key))
                return false;
            if (key.raw.type == YAML_MAPPING_END_EVENT)
                break;
            if (!member(key, out, merges, depth))
                return false;
        }
        for (const Node& merge : merges)
            merge_into(out, merge);
        if (!name.empty())
            anchors_[name] = {out, nodes_ - before + 1};
        return true;
    }

    bool member(Event& key, Node& out, std::vector<Node>& merges, std::size_t depth) {
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
            merges.push_back(std::move(value));
            return true;
        }
        if (resolve_scalar(key_node) != ScalarType::String)
            report_key(key_node);
        if (const Member* first = find_member(out, key_node.text)) {
            report_duplicate(key_node, *first);
            return true;
        }
        out.members.push_back({std::move(key_node.text), key_node.span, std::move(value)});
        return true;
    }

    static const Member* find_member(const Node& mapping, const std::string& key) {
        for (const Member& each : mapping.members)
            if (each.key == key)
                return &each;
        return nullptr;
    }

    void report_duplicate(const Node& key, const Member& first) {
        broken_ = true;
        diagnostics_.report(diag::Code::DuplicateKey, key.span, {key.text})
            .with_label(first.key_span, "first here")
            .with_note("most readers keep the last one and drop the other without a word")
            .with_hint("merge both into one `" + key.text + "`");
    }

    void report_key(const Node& key) {
        broken_ = true;
        diagnostics_.report(diag::Code::YamlKey, key.span, {key.text})
            .with_hint("quote it: \"" + key.text + "\"");
    }

    /// `{{ x }}` outside quotes reads as a mapping in a mapping's key.
    void report_template_or_key(const Node& key) {
        broken_ = true;
        if (key.is_mapping())
            diagnostics_.report(diag::Code::UnrenderedTemplate, key.span)
                .with_hint("render it first: `helm template . | polecat lint -`");
        else
            diagnostics_.report(diag::Code::YamlKey, key.span, {"(a collection)"});
    }

    void merge_into(Node& out, const Node& merge) {
        if (merge.is_sequence()) {
            for (const Node& each : merge.items)
                merge_into(out, each);
            return;
        }
        if (!merge.is_mapping()) {
            broken_ = true;
            diagnostics_.report(diag::Code::YamlSyntax, merge.span,
                                {"`<<` merges a mapping, and this is none"});
            return;
        }
        for (const Member& each : merge.members)
            if (find_member(out, each.key) == nullptr)
                out.members.push_back(each);
    }

    yaml_parser_t parser_{};
    FileId file_;
    std::uint32_t first_line_;
    const Limits& limits_;
    diag::Diagnostics& diagnostics_;
    std::unordered_map<std::string, Anchor> anchors_;
    std::size_t nodes_ = 0;
    bool broken_ = false;
};

} // namespace

bool read_stream(std::string_view text, FileId file, std::uint32_t first_line, const Limits& limits,
                 diag::Diagnostics& diagnostics, std::vector<Document>& out) {
    return Builder(text, file, first_line, limits, diagnostics).read(out);
}

} // namespace polecat::yaml
