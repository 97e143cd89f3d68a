// Values that have a form of their own. What could be written in two ways is refused unless it is
// the one way, so that equal records are equal bytes in both directions.
#include "artefact/bundle/codec.h"

#include <algorithm>
#include <bit>

namespace polecat::bundle {

using selector::Op;
using selector::Selector;
using selector::Term;

namespace {

/// Selectors have at most 250 nested parentheses; lowering adds a few.
constexpr unsigned kMostNested = 1000;

void put_big_endian(std::string& out, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8)
        out += static_cast<char>(value >> shift & 0xff);
}

std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char each : bytes)
        value = value << 8 | static_cast<unsigned char>(each);
    return value;
}

template <class List> bool is_ascending(const List& list) {
    return std::adjacent_find(list.begin(), list.end(),
                              [](const auto& a, const auto& b) { return !(a < b); }) == list.end();
}

} // namespace

void Encoder::put(const ContentId& id) {
    out_.bytes({reinterpret_cast<const char*>(id.data()), id.size()});
}

void Decoder::get(ContentId& id) {
    const std::string_view bytes = in_.bytes();
    if (bytes.size() != id.size())
        in_.fail("a name of " + std::to_string(id.size()) + " bytes");
    std::copy(bytes.begin(), bytes.end(), id.begin());
}

// IPv4 is a number, IPv6 are 16 bytes.
void Encoder::put(const net::Address& address) {
    if (address.family == net::Family::V4)
        return out_.number(address.low);
    std::string bytes;
    put_big_endian(bytes, address.high);
    put_big_endian(bytes, address.low);
    out_.bytes(bytes);
}

void Decoder::get(net::Address& address) {
    if (in_.is_number()) {
        address = {net::Family::V4, 0, in_.number(UINT32_MAX)};
        return;
    }
    const std::string_view bytes = in_.bytes();
    if (bytes.size() != 16)
        in_.fail("16 bytes of an address");
    address = {net::Family::V6, big_endian(bytes.substr(0, 8)), big_endian(bytes.substr(8))};
}

void Decoder::get(net::AddressSet& set) {
    std::vector<net::Range> ranges;
    get(ranges);
    for (const net::Range& each : ranges)
        if (each.first.family != each.last.family || each.last < each.first)
            in_.fail("a range of addresses");
    set = net::AddressSet::of(ranges);
    if (set.ranges() != ranges)
        in_.fail("ranges in order and apart");
}

void Decoder::get(net::PortSet& set) {
    std::vector<net::PortRange> ranges;
    get(ranges);
    for (const net::PortRange& each : ranges)
        if (each.last < each.first)
            in_.fail("a range of ports");
    set = net::PortSet::of(ranges);
    if (set.ranges() != ranges)
        in_.fail("ranges in order and apart");
}

// How far each run is behind the last, and how many more it has than one.
void Encoder::put(const NumberSet& set) {
    out_.array(2 * set.runs().size());
    std::uint32_t next = 0;
    for (const NumberSet::Run& run : set.runs()) {
        out_.number(run.first - next);
        out_.number(run.last - run.first);
        next = run.last + 1;
    }
}

void Decoder::get(NumberSet& set) {
    set = {};
    const std::size_t count = in_.array();
    if (count % 2 != 0)
        in_.fail("pairs of numbers");
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < count; i += 2) {
        const std::uint64_t gap = in_.number(UINT32_MAX), more = in_.number(UINT32_MAX);
        if ((i > 0 && gap == 0) || next + gap + more >= UINT32_MAX)
            in_.fail("a run of numbers behind the last");
        set.add_run({static_cast<std::uint32_t>(next + gap),
                     static_cast<std::uint32_t>(next + gap + more)});
        next += gap + more + 1;
    }
}

void Encoder::put(const Selector& selector) {
    const Term& term = selector.term();
    fields(term.op, term.label, term.values, term.children);
}

Selector Decoder::read_selector(unsigned depth) {
    if (depth > kMostNested)
        in_.fail("a selector that is less nested");
    if (in_.array() != 4)
        in_.fail("an array of 4");
    const auto op = static_cast<Op>(in_.number(static_cast<std::uint64_t>(Op::Or)));
    std::string label;
    std::vector<std::string> values;
    std::vector<Selector> children;
    get(label);
    get(values);
    for (std::size_t left = in_.array(); left > 0; --left)
        children.push_back(read_selector(depth + 1));
    const auto needs = [&](bool has_label, bool right_values, bool right_children) {
        if (label.empty() == has_label || !right_values || !right_children)
            in_.fail("the parts of a selector's term");
    };
    const bool none = children.empty();
    switch (op) {
    case Op::All:
        needs(false, values.empty(), none);
        return Selector::all();
    case Op::Global:
        needs(false, values.empty(), none);
        return Selector::global();
    case Op::Has:
        needs(true, values.empty(), none);
        return Selector::has(label);
    case Op::In:
    case Op::NotIn:
        needs(true, is_ascending(values), none);
        return op == Op::In ? Selector::in(label, values) : Selector::not_in(label, values);
    case Op::Not:
        needs(false, values.empty(), children.size() == 1);
        return Selector::negate(std::move(children.front()));
    case Op::And:
        needs(false, values.empty(), children.size() > 1);
        return Selector::all_of(std::move(children));
    case Op::Or:
        needs(false, values.empty(), children.size() > 1);
        return Selector::any_of(std::move(children));
    default:
        break;
    }
    needs(true, values.size() == 1, none);
    switch (op) {
    case Op::Equal:
        return Selector::equal(label, values[0]);
    case Op::NotEqual:
        return Selector::not_equal(label, values[0]);
    case Op::Contains:
        return Selector::contains(label, values[0]);
    case Op::StartsWith:
        return Selector::starts_with(label, values[0]);
    default:
        return Selector::ends_with(label, values[0]);
    }
}

void Encoder::put(const selector::Labels& labels) {
    out_.array(2 * labels.size());
    for (const auto& [key, value] : labels) {
        out_.text(key);
        out_.text(value);
    }
}

void Decoder::get(selector::Labels& labels) {
    const std::size_t count = in_.array();
    if (count % 2 != 0)
        in_.fail("keys with values");
    std::vector<selector::Labels::Pair> pairs;
    for (std::size_t i = 0; i < count; i += 2) {
        const std::string_view key = in_.text(), value = in_.text();
        if (!pairs.empty() && pairs.back().first >= key)
            in_.fail("keys in ascending order");
        pairs.emplace_back(key, value);
    }
    labels = selector::Labels(std::move(pairs));
}

// The number of the alternative, then what it says.
void Encoder::put(const decision::Predicate& predicate) {
    const auto kind = static_cast<std::uint32_t>(predicate.index());
    if (const auto* objects = std::get_if<decision::ObjectSet>(&predicate))
        fields(kind, objects->selector);
    else if (const auto* nets = std::get_if<decision::NetSet>(&predicate))
        fields(kind, nets->nets);
    else if (const auto* service = std::get_if<decision::ServiceSet>(&predicate))
        fields(kind, *service);
    else if (const auto* ports = std::get_if<decision::NamedPortSet>(&predicate))
        fields(kind, *ports);
    else if (const auto* domains = std::get_if<decision::DomainSet>(&predicate))
        fields(kind, domains->domains);
    else
        fields(kind, std::get<decision::UnreadSet>(predicate).what);
}

void Decoder::get(decision::Predicate& predicate) {
    if (in_.array() != 2)
        in_.fail("an array of 2");
    switch (in_.number(std::variant_size_v<decision::Predicate> - 1)) {
    case 0:
        return get(predicate.emplace<decision::ObjectSet>().selector);
    case 1:
        return get(predicate.emplace<decision::NetSet>().nets);
    case 2:
        return get(predicate.emplace<decision::ServiceSet>());
    case 3:
        return get(predicate.emplace<decision::NamedPortSet>());
    case 4:
        return get(predicate.emplace<decision::DomainSet>().domains);
    default:
        return get(predicate.emplace<decision::UnreadSet>().what);
    }
}

void Encoder::put(double value) {
    std::string bytes;
    put_big_endian(bytes, std::bit_cast<std::uint64_t>(value));
    out_.bytes(bytes);
}

void Decoder::get(double& value) {
    const std::string_view bytes = in_.bytes();
    if (bytes.size() != 8)
        in_.fail("the 8 bytes of a number");
    value = std::bit_cast<double>(big_endian(bytes));
}

} // namespace polecat::bundle
