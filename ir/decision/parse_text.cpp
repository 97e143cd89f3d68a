#include "ir/decision/parse_text.h"

#include <charconv>

namespace polecat::decision {

void Line::skip() {
    while (!rest_.empty() && rest_.front() == ' ')
        rest_.remove_prefix(1);
}

bool Line::done() {
    skip();
    return rest_.empty();
}

char Line::peek() {
    skip();
    return rest_.empty() ? '\0' : rest_.front();
}

void Line::fail(const std::string& expected) const {
    throw TextFailure{"line " + std::to_string(number_) + ": expected " + expected + " before `" +
                      std::string(rest_.substr(0, 40)) + "`"};
}

bool Line::take(std::string_view word) {
    skip();
    if (!rest_.starts_with(word))
        return false;
    const std::string_view after = rest_.substr(word.size());
    if (!after.empty() && after.front() != ' ')
        return false;
    rest_ = after;
    return true;
}

void Line::expect(std::string_view word) {
    if (!take(word))
        fail("`" + std::string(word) + "`");
}

std::string_view Line::word() {
    skip();
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    if (end == 0)
        fail("a word");
    const std::string_view out = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return out;
}

namespace {

std::optional<std::uint32_t> number_in(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

} // namespace

std::uint32_t Line::number() {
    std::string_view text = word();
    if (text.ends_with(':'))
        text.remove_suffix(1);
    if (const auto value = number_in(text))
        return *value;
    fail("a number");
}

std::uint32_t Line::slot() {
    const std::string_view text = word();
    if (text.starts_with('#'))
        if (const auto value = number_in(text.substr(1)))
            return *value;
    fail("a slot such as #0");
}

std::string Line::quoted() {
    if (peek() != '"')
        fail("text in quotes");
    std::string out;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
        if (rest_[i] == '"') {
            rest_.remove_prefix(i + 1);
            return out;
        }
        if (rest_[i] == '\\' && i + 1 < rest_.size())
            ++i;
        out += rest_[i];
    }
    fail("the end of the quoted text");
}

std::string_view Line::call(std::string_view& name) {
    skip();
    const std::size_t open = rest_.find('(');
    if (open == std::string_view::npos || rest_.substr(0, open).find(' ') < open)
        fail("a predicate");
    name = rest_.substr(0, open);
    std::size_t depth = 0;
    for (std::size_t i = open; i < rest_.size(); ++i) {
        if (rest_[i] == '"' || rest_[i] == '\'')
            i = std::min(rest_.find(rest_[i], i + 1), rest_.size() - 1);
        else if (rest_[i] == '(')
            ++depth;
        else if (rest_[i] == ')' && --depth == 0) {
            const std::string_view out = rest_.substr(open + 1, i - open - 1);
            rest_.remove_prefix(i + 1);
            return out;
        }
    }
    fail("`)`");
}

net::Protocol read_protocol(Line& line, std::string_view text) {
    if (const auto named = net::protocol_by_name(text))
        return *named;
    const auto number = number_in(text);
    if (!number || *number > 255)
        line.fail("a protocol");
    return static_cast<net::Protocol>(*number);
}

net::PortRange read_range(Line& line, std::string_view text) {
    const std::size_t dash = text.find('-');
    const auto first = number_in(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number_in(text.substr(dash + 1));
    if (!first || !last || *first > 65535 || *last > 65535)
        line.fail("a range of numbers");
    return {static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)};
}

Direction read_direction(Line& line) {
    if (line.take("ingress"))
        return Direction::Ingress;
    line.expect("egress");
    return Direction::Egress;
}

Hook read_hook(Line& line) {
    for (const Hook hook : {Hook::Normal, Hook::Forward, Hook::PreDnat, Hook::Untracked})
        if (line.take(to_string(hook)))
            return hook;
    line.fail("a hook");
}

net::Family read_family(Line& line) {
    if (line.take("IPv4"))
        return net::Family::V4;
    line.expect("IPv6");
    return net::Family::V6;
}

namespace {

/// "4:http": text with its length before it.
std::string counted(Line& line, std::string_view& text) {
    while (text.starts_with(' '))
        text.remove_prefix(1);
    const std::size_t colon = text.find(':');
    const auto size = number_in(text.substr(0, colon));
    if (!size || colon == std::string_view::npos || text.size() < colon + 1 + *size)
        line.fail("a name with its length before it");
    std::string out(text.substr(colon + 1, *size));
    text.remove_prefix(colon + 1 + *size);
    return out;
}

NetSet read_nets(Line& line, std::string_view text) {
    std::vector<net::Range> ranges;
    while (!text.empty()) {
        const std::string_view range = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(range.size() + 1, text.size()));
        const std::size_t dash = range.find('-');
        const auto first = net::parse_address(range.substr(0, dash));
        const auto last =
            dash == std::string_view::npos ? first : net::parse_address(range.substr(dash + 1));
        if (!first || !last)
            line.fail("a range of addresses");
        ranges.push_back({*first, *last});
    }
    return {net::AddressSet::of(std::move(ranges))};
}

} // namespace

Predicate read_predicate(Line& line, const SelectorReader& read_selector) {
    std::string_view name;
    std::string_view inside = line.call(name);
    const auto selector = [&](std::string_view text) {
        const auto parsed = read_selector(text);
        if (!parsed)
            line.fail("a selector");
        return *parsed;
    };
    if (name == "objects")
        return ObjectSet{selector(inside)};
    if (name == "nets")
        return read_nets(line, inside);
    if (name == "service" || name == "service-ports")
        return ServiceSet{counted(line, inside), name == "service-ports"};
    if (name == "unread" || name == "unknown")
        return UnreadSet{counted(line, inside), name == "unknown"};
    if (name == "domains") {
        DomainSet out;
        while (inside.find(':') != std::string_view::npos)
            out.domains.push_back(counted(line, inside));
        return out;
    }
    if (name == "port") {
        NamedPortSet out;
        out.name = counted(line, inside);
        inside.remove_prefix(std::min<std::size_t>(1, inside.size()));
        const std::size_t blank = inside.find(' ');
        const auto protocol = number_in(inside.substr(0, blank));
        if (!protocol || *protocol > 255 || blank == std::string_view::npos)
            line.fail("a protocol");
        out.protocol = static_cast<net::Protocol>(*protocol);
        out.selector = selector(inside.substr(blank + 1));
        return out;
    }
    line.fail("a predicate");
}

} // namespace polecat::decision
