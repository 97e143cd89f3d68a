// What type an unquoted scalar has: the rules of go-yaml v2's resolve(), which Kubernetes' reader
// (sigs.k8s.io/yaml) uses. Timestamps and base-60 numbers are strings there.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "frontend/yaml/node.h"

namespace polecat::yaml {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_null_word(std::string_view text) {
    return one_of(text, {"", "~", "null", "Null", "NULL"});
}

std::optional<bool> boolean_word(std::string_view text) {
    if (text.empty() || text.size() > 5)
        return std::nullopt;
    if (one_of(text, {"true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"}))
        return true;
    if (one_of(text, {"false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF"}))
        return false;
    return std::nullopt;
}

std::optional<double> float_word(std::string_view text) {
    if (one_of(text, {".nan", ".NaN", ".NAN"}))
        return std::numeric_limits<double>::quiet_NaN();
    if (one_of(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"}))
        return std::numeric_limits<double>::infinity();
    if (one_of(text, {"-.inf", "-.Inf", "-.INF"}))
        return -std::numeric_limits<double>::infinity();
    return std::nullopt;
}

/// An integer that go-yaml holds as int64 or, beyond that, as uint64.
struct Integer {
    bool negative = false;
    std::uint64_t magnitude = 0;
};

/// Go's strconv.ParseInt(text, 0, 64): sign, then 0x, 0o, 0b, leading-zero octal or decimal.
std::optional<Integer> parse_integer(std::string_view text) {
    Integer out;
    if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
        out.negative = text[0] == '-';
        text.remove_prefix(1);
    }
    int base = 10;
    if (text.size() > 1 && text[0] == '0') {
        const char mark = static_cast<char>(text[1] | 0x20);
        base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
        text.remove_prefix(mark == 'x' || mark == 'o' || mark == 'b' ? 2 : 1);
    }
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, out.magnitude, base);
    if (error != std::errc{} || stop != end)
        return std::nullopt;
    if (out.negative && out.magnitude > std::uint64_t{1} << 63)
        return std::nullopt;
    return out;
}

/// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool looks_like_float(std::string_view text) {
    std::size_t i = 0;
    const auto digits = [&] {
        const std::size_t before = i;
        while (i < text.size() && is_digit(text[i]))
            ++i;
        return i - before;
    };
    if (i < text.size() && (text[i] == '+' || text[i] == '-'))
        ++i;
    const bool whole = digits() > 0;
    if (i < text.size() && text[i] == '.') {
        ++i;
        if (digits() == 0 && !whole)
            return false;
    } else if (!whole) {
        return false;
    }
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
        ++i;
        if (i < text.size() && (text[i] == '+' || text[i] == '-'))
            ++i;
        if (digits() == 0)
            return false;
    }
    return i == text.size();
}

std::optional<double> parse_float(std::string_view text) {
    if (!looks_like_float(text))
        return std::nullopt;
    if (text[0] == '+')
        text.remove_prefix(1);
    double value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    // Out of range is no number: Go agrees for large ones.
    if (error != std::errc{} || stop != text.data() + text.size())
        return std::nullopt;
    return value;
}

struct Resolved {
    ScalarType type = ScalarType::String;
    Integer integer{};
    double real = 0;
    bool truth = false;
};

Resolved resolve_number(std::string_view text) {
    std::string buffer;
    if (text.find('_') != std::string_view::npos) {
        buffer = text;
        std::erase(buffer, '_');
        text = buffer;
    }
    if (const auto integer = parse_integer(text))
        return {ScalarType::Integer, *integer};
    if (const auto real = parse_float(text))
        return {ScalarType::Float, {}, *real};
    return {};
}

Resolved resolve(const Node& node) {
    if (node.kind == Node::Kind::Null)
        return {ScalarType::Null};
    if (node.kind != Node::Kind::Scalar || node.quoted)
        return {};
    const std::string_view text = node.text;
    if (is_null_word(text))
        return {ScalarType::Null};
    const char first = text[0];
    if (const auto word = boolean_word(text))
        return {ScalarType::Boolean, {}, 0, *word};
    if (first == '.' || first == '+' || first == '-')
        if (const auto word = float_word(text))
            return {ScalarType::Float, {}, *word};
    if (first == '.') {
        const auto real = parse_float(text);
        return real ? Resolved{ScalarType::Float, {}, *real} : Resolved{};
    }
    if (is_digit(first) || first == '+' || first == '-')
        return resolve_number(text);
    return {};
}

/// A float without a fraction: in JSON, which the API server is sent, 80.0 is 80. So is 080, which
/// is no octal number.
std::optional<std::int64_t> whole(double value) {
    constexpr double kLimit = 9'007'199'254'740'992; // beyond 2^53 a double is not exact
    if (!(std::abs(value) <= kLimit) || value != std::trunc(value))
        return std::nullopt;
    return static_cast<std::int64_t>(value);
}

} // namespace

const Node* Node::find(std::string_view key) const {
    for (const Member& member : members)
        if (member.key == key)
            return &member.value;
    return nullptr;
}

ScalarType resolve_scalar(const Node& scalar) {
    return resolve(scalar).type;
}

std::optional<bool> as_boolean(const Node& node) {
    const Resolved resolved = resolve(node);
    if (resolved.type != ScalarType::Boolean)
        return std::nullopt;
    return resolved.truth;
}

std::optional<std::int64_t> as_integer(const Node& node) {
    const Resolved resolved = resolve(node);
    if (resolved.type == ScalarType::Float)
        return whole(resolved.real);
    if (resolved.type != ScalarType::Integer)
        return std::nullopt;
    const auto [negative, magnitude] = resolved.integer;
    if (magnitude >
        static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) + (negative ? 1U : 0U))
        return std::nullopt;
    return static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
}

std::optional<double> as_number(const Node& node) {
    const Resolved resolved = resolve(node);
    if (resolved.type == ScalarType::Float)
        return resolved.real;
    if (resolved.type != ScalarType::Integer)
        return std::nullopt;
    const double value = static_cast<double>(resolved.integer.magnitude);
    return resolved.integer.negative ? -value : value;
}

} // namespace polecat::yaml
