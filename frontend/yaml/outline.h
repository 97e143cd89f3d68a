/// Where every collection and scalar of a file begins and ends, in bytes, from libyaml's events:
/// what the trees of node.h don't keep. For changes of the text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace polecat::yaml {

struct Place {
    enum class Kind : std::uint8_t { Scalar, Sequence, Mapping };
    Kind kind = Kind::Scalar;
    bool flow = false;   ///< a collection in brackets
    bool quoted = false; ///< a scalar in single or double quotes
    bool block = false;  ///< a scalar after `|` or `>`
    std::string text;    ///< of scalars
    /// Bytes; a block collection ends with the last thing in it. Nothing is as empty as `a:` says.
    std::size_t begin = 0, end = 0;
    std::size_t inside = 0;             ///< of a collection in brackets: the byte after the first
    std::uint32_t line = 0, column = 0; ///< of `begin`, as in spans
    std::vector<Place> children;        ///< mappings: key, value, key, value

    bool is_mapping() const { return kind == Kind::Mapping; }
    bool is_sequence() const { return kind == Kind::Sequence; }
    bool is_absent() const { return kind == Kind::Scalar && begin == end; }
    /// The value of that key, or nullptr. Mappings only.
    const Place* find(std::string_view key) const;
    /// The last scalar or collection in brackets in it.
    const Place& last() const;
};

struct Outline {
    std::vector<Place> documents;
    /// `*name` stands somewhere: what an anchor holds counts twice.
    bool aliases = false;
};

/// Nothing for what is not YAML, or nested too deep.
std::optional<Outline> outline_of(std::string_view text);

} // namespace polecat::yaml
