/// How a file is written, and text in that style.
#pragma once

#include <string>
#include <vector>

#include "frontend/yaml/outline.h"

namespace polecat::yaml {

struct Style {
    bool json = false;            ///< keys in double quotes, everything in brackets
    bool flow_lists = false;      ///< lists of words stand in brackets
    std::size_t mapping_step = 2; ///< how much further a mapping below a key is indented
    std::size_t list_step = 2;    ///< the same of a list
};

/// Learned from the document: the first place that shows it decides.
Style style_of(const Place& document);

/// In brackets, in one line.
std::string in_brackets(const Place& value, const Style& style);
/// `key: value` in one line.
std::string member_in_brackets(const Place& key, const Place& value, const Style& style);

using TextLines = std::vector<std::string>;
/// The fields or items of a collection as lines, without the indentation that all of them get.
TextLines lines_of(const Place& collection, const Style& style);

} // namespace polecat::yaml
