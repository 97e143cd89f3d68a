#include "frontend/yaml/outline.h"

#include <yaml.h>

#include <algorithm>

#include "frontend/yaml/lines.h"

namespace polecat::yaml {

namespace {

constexpr std::size_t kMaxDepth = 200; // as the reader of manifests

struct RawEvent {
    yaml_event_t raw{};
    RawEvent() = default;
    RawEvent(const RawEvent&) = delete;
    RawEvent& operator=(const RawEvent&) = delete;
    ~RawEvent() { yaml_event_delete(&raw); } // of one that was never filled: nothing
};

class OutlineBuilder {
  public:
    explicit OutlineBuilder(std::string_view text) : characters_(text) {
        const std::size_t first = first_byte(text);
        yaml_parser_initialize(&parser_);
        yaml_parser_set_input_string(&parser_,
                                     reinterpret_cast<const unsigned char*>(text.data()) + first,
                                     text.size() - first);
        yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    }
    OutlineBuilder(const OutlineBuilder&) = delete;
    OutlineBuilder& operator=(const OutlineBuilder&) = delete;
    ~OutlineBuilder() { yaml_parser_delete(&parser_); }

    std::optional<Outline> read() {
        for (;;) {
            RawEvent event;
            if (yaml_parser_parse(&parser_, &event.raw) == 0)
                return std::nullopt;
            if (event.raw.type == YAML_STREAM_END_EVENT)
                return std::move(out_);
            if (event.raw.type != YAML_DOCUMENT_START_EVENT)
                continue;
            RawEvent root;
            if (yaml_parser_parse(&parser_, &root.raw) == 0 ||
                !node(root.raw, out_.documents.emplace_back(), 0))
                return std::nullopt;
        }
    }

  private:
    std::size_t byte_of(const yaml_mark_t& mark) const { return characters_.byte_of(mark.index); }

    bool node(const yaml_event_t& event, Place& out, std::size_t depth) {
        out.begin = byte_of(event.start_mark);
        out.inside = out.end = byte_of(event.end_mark);
        out.line = static_cast<std::uint32_t>(event.start_mark.line) + 1;
        out.column = static_cast<std::uint32_t>(event.start_mark.column) + 1;
        switch (event.type) {
        case YAML_ALIAS_EVENT:
            out_.aliases = true;
            return true;
        case YAML_SCALAR_EVENT:
            scalar(event, out);
            return true;
        case YAML_SEQUENCE_START_EVENT:
            out.kind = Place::Kind::Sequence;
            out.flow = event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
            return children(out, depth);
        case YAML_MAPPING_START_EVENT:
            out.kind = Place::Kind::Mapping;
            out.flow = event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
            return children(out, depth);
        default:
            return false;
        }
    }

    static void scalar(const yaml_event_t& event, Place& out) {
        const auto& data = event.data.scalar;
        out.text.assign(reinterpret_cast<const char*>(data.value), data.length);
        out.quoted = data.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
                     data.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
        out.block =
            data.style == YAML_LITERAL_SCALAR_STYLE || data.style == YAML_FOLDED_SCALAR_STYLE;
    }

    bool children(Place& out, std::size_t depth) {
        if (depth >= kMaxDepth)
            return false;
        for (;;) {
            RawEvent event;
            if (yaml_parser_parse(&parser_, &event.raw) == 0)
                return false;
            if (event.raw.type == YAML_SEQUENCE_END_EVENT ||
                event.raw.type == YAML_MAPPING_END_EVENT) {
                // A block ends where the next thing begins, past comments: not what is asked.
                if (out.flow)
                    out.end = byte_of(event.raw.end_mark);
                else if (!out.children.empty())
                    out.end = out.children.back().end;
                return true;
            }
            if (!node(event.raw, out.children.emplace_back(), depth + 1))
                return false;
        }
    }

    yaml_parser_t parser_{};
    Characters characters_;
    Outline out_;
};

} // namespace

const Place* Place::find(std::string_view key) const {
    for (std::size_t i = 0; i + 1 < children.size(); i += 2)
        if (children[i].kind == Kind::Scalar && children[i].text == key)
            return &children[i + 1];
    return nullptr;
}

const Place& Place::last() const {
    return flow || children.empty() ? *this : children.back().last();
}

std::optional<Outline> outline_of(std::string_view text) {
    return OutlineBuilder(text).read();
}

} // namespace polecat::yaml
