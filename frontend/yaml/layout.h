/// Where scalars, mappings and comments stand in the bytes of a file, from libyaml's tokens: what
/// trees of nodes don't keep. For suppressions in comments and for changes of the text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/source.h"

namespace polecat::yaml {

struct ScalarPlace {
    std::uint32_t line = 0, column = 0; ///< as in spans; with its tag, without anchor
    std::size_t begin = 0, end = 0;     ///< bytes, quotes included
    bool quoted = false;                ///< in single or double quotes
    bool block = false;
};

struct MappingPlace {
    std::uint32_t line = 0, column = 0;         ///< its first character
    std::uint32_t end_line = 0, end_column = 0; ///< where the next thing begins
};

struct Comment {
    Span span;
    std::string text;   ///< after `#`
    bool alone = false; ///< nothing but blanks before it
};

/// In the order of the file.
struct Layout {
    std::vector<ScalarPlace> scalars;
    std::vector<MappingPlace> mappings;
    std::vector<Comment> comments;
    bool aliases = false; ///< `*name` stands somewhere: what an anchor holds counts twice
};

/// Nothing for what is not YAML.
std::optional<Layout> layout_of(std::string_view text, FileId file);

} // namespace polecat::yaml
