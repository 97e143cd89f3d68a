#include "frontend/yaml/layout.h"

#include <yaml.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "frontend/yaml/lines.h"

namespace polecat::yaml {

namespace {

class Tokens {
  public:
    explicit Tokens(std::string_view text) {
        yaml_parser_initialize(&parser_);
        yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                     text.size());
        yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    }
    Tokens(const Tokens&) = delete;
    Tokens& operator=(const Tokens&) = delete;
    ~Tokens() { yaml_parser_delete(&parser_); }

    /// act(token) for each; false when the text does not scan.
    template <class Act> bool each(const Act& act) {
        for (bool more = true; more;) {
            yaml_token_t token;
            if (yaml_parser_scan(&parser_, &token) == 0)
                return false;
            act(token);
            more = token.type != YAML_STREAM_END_TOKEN && token.type != YAML_NO_TOKEN;
            yaml_token_delete(&token);
        }
        return true;
    }

  private:
    yaml_parser_t parser_{};
};

class Reader {
  public:
    Reader(std::string_view text, FileId file)
        : text_(text), file_(file), first_(first_byte(text)), characters_(text) {}

    std::optional<Layout> read() {
        Tokens tokens(text_.substr(first_));
        if (!tokens.each([&](const yaml_token_t& each) { take(each); }))
            return std::nullopt;
        comments();
        return std::move(out_);
    }

  private:
    std::size_t byte_of(const yaml_mark_t& mark) const { return characters_.byte_of(mark.index); }

    void take(const yaml_token_t& token) {
        const yaml_mark_t& from = token.start_mark;
        const auto line = static_cast<std::uint32_t>(from.line + 1);
        const auto column = static_cast<std::uint32_t>(from.column + 1);
        const auto tag = std::exchange(tag_, std::nullopt);
        if (tag && token.type != YAML_SCALAR_TOKEN)
            out_.scalars.push_back(*tag); // of nothing
        switch (token.type) {
        case YAML_TAG_TOKEN:
            tag_ = {line, column, byte_of(from), byte_of(token.end_mark), false, false};
            return;
        case YAML_SCALAR_TOKEN: {
            const auto style = token.data.scalar.style;
            if (tag) { // one thing, as in spans
                out_.scalars.push_back(
                    {tag->line, tag->column, tag->begin, byte_of(token.end_mark), false,
                     style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE});
                return;
            }
            out_.scalars.push_back(
                {line, column, byte_of(from), byte_of(token.end_mark),
                 style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
                     style == YAML_DOUBLE_QUOTED_SCALAR_STYLE,
                 style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE});
            return;
        }
        case YAML_BLOCK_MAPPING_START_TOKEN:
        case YAML_FLOW_MAPPING_START_TOKEN:
            open_.push_back(out_.mappings.size());
            out_.mappings.push_back({line, column, line, column});
            return;
        case YAML_BLOCK_SEQUENCE_START_TOKEN:
        case YAML_FLOW_SEQUENCE_START_TOKEN:
            return open_.push_back(kNoMapping);
        case YAML_BLOCK_END_TOKEN:
        case YAML_FLOW_MAPPING_END_TOKEN:
        case YAML_FLOW_SEQUENCE_END_TOKEN:
            return close(line, column);
        case YAML_ALIAS_TOKEN:
            out_.aliases = true;
            return;
        default:
            return;
        }
    }

    void close(std::uint32_t line, std::uint32_t column) {
        if (open_.empty())
            return;
        if (open_.back() != kNoMapping) {
            out_.mappings[open_.back()].end_line = line;
            out_.mappings[open_.back()].end_column = column;
        }
        open_.pop_back();
    }

    std::size_t end_of_line(std::size_t at) const {
        while (at < text_.size() && break_at(text_, at) == 0)
            ++at;
        return at;
    }

    /// What is no scalar and begins with `#` after a blank or at the start of a line. The first
    /// line of a block scalar (`|`) may end in a comment.
    void comments() {
        auto scalar = out_.scalars.begin();
        std::uint32_t line = 1;
        std::size_t line_begin = first_;
        for (std::size_t at = first_; at < text_.size();) {
            while (scalar != out_.scalars.end() && scalar->end <= at)
                ++scalar;
            // Within a scalar nothing but lines counts.
            if (const std::size_t length = break_at(text_, at); length != 0) {
                at += length;
                ++line;
                line_begin = at;
            } else if (text_[at] == '#' &&
                       (scalar == out_.scalars.end() || at < occupied_from(*scalar)) &&
                       (at == line_begin || text_[at - 1] == ' ' || text_[at - 1] == '\t')) {
                const std::size_t end = end_of_line(at);
                add_comment(line, line_begin, at, end);
                at = end;
            } else {
                ++at;
            }
        }
    }

    std::size_t occupied_from(const ScalarPlace& scalar) const {
        return scalar.block ? end_of_line(scalar.begin) : scalar.begin;
    }

    void add_comment(std::uint32_t line, std::size_t line_begin, std::size_t at, std::size_t end) {
        const auto characters = [&](std::size_t from, std::size_t to) {
            return static_cast<std::uint32_t>(
                std::count_if(text_.begin() + static_cast<std::ptrdiff_t>(from),
                              text_.begin() + static_cast<std::ptrdiff_t>(to), begins_character));
        };
        const std::string_view before = text_.substr(line_begin, at - line_begin);
        out_.comments.push_back({{file_, line, characters(line_begin, at) + 1, characters(at, end)},
                                 std::string(text_.substr(at + 1, end - at - 1)),
                                 before.find_first_not_of(" \t") == std::string_view::npos});
    }

    static constexpr std::size_t kNoMapping = SIZE_MAX;
    std::string_view text_;
    FileId file_;
    std::size_t first_ = 0;
    Characters characters_;
    std::vector<std::size_t> open_;  ///< collections: their mapping, or none
    std::optional<ScalarPlace> tag_; ///< what came last
    Layout out_;
};

} // namespace

std::optional<Layout> layout_of(std::string_view text, FileId file) {
    return Reader(text, file).read();
}

} // namespace polecat::yaml
