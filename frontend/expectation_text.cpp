#include "frontend/expectation_text.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "support/letters.h"

namespace polecat::frontend {

using expectation::Connections;
using expectation::EndName;
using expectation::IcmpRange;
using expectation::ProtocolConnections;
using expectation::Traffic;

namespace {

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> out;
    for (;;) {
        const std::size_t at = text.find(separator);
        out.push_back(trim(text.substr(0, at)));
        if (at == std::string_view::npos)
            return out;
        text.remove_prefix(at + 1);
    }
}

std::optional<unsigned> number(std::string_view text, unsigned last) {
    unsigned value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size() || value > last)
        return std::nullopt;
    return value;
}

struct Interval {
    unsigned first = 0, last = 0;
};

/// "80" or "443-445".
std::optional<Interval> interval(std::string_view text, unsigned last) {
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos) {
        const auto one = number(text, last);
        return one ? std::optional(Interval{*one, *one}) : std::nullopt;
    }
    const auto from = number(text.substr(0, dash), last), to = number(text.substr(dash + 1), last);
    if (!from || !to || *from > *to)
        return std::nullopt;
    return Interval{*from, *to};
}

std::optional<net::Range> parse_addresses(std::string_view text) {
    if (const auto address = net::parse_address(text))
        return net::Range{*address, *address};
    if (const auto cidr = net::parse_cidr(text, net::CidrForm::Strict))
        return net::Range{cidr->first(), cidr->last()};
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos)
        return std::nullopt;
    const auto first = net::parse_address(text.substr(0, dash));
    const auto last = net::parse_address(text.substr(dash + 1));
    if (!first || !last || first->family != last->family || *last < *first)
        return std::nullopt;
    return net::Range{*first, *last};
}

Error bad_end(std::string_view text) {
    return Error{fmt::format("`{}` names no end: write NAMESPACE/NAME, KIND:NAMESPACE/NAME, "
                             "hep:NAME, node:NAME, service:NAMESPACE/NAME or an address",
                             text)};
}

/// The part of an end's name before the colon.
bool set_kind(EndName& end, std::string_view prefix) {
    if (prefix == "hep")
        end.kind = EndName::Kind::HostEndpoint;
    else if (prefix == "node")
        end.kind = EndName::Kind::Node;
    else if (prefix == "service")
        end.kind = EndName::Kind::Service;
    else
        end.manifest_kind = lower_case(prefix);
    return !prefix.empty();
}

} // namespace

Result<EndName> parse_end(std::string_view text) {
    EndName end;
    end.text = std::string(text);
    if (const auto range = parse_addresses(text)) {
        end.kind = EndName::Kind::Addresses;
        end.range = *range;
        return end;
    }
    std::string_view rest = text;
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos) {
        if (!set_kind(end, text.substr(0, colon)))
            return bad_end(text);
        rest = text.substr(colon + 1);
    }
    const bool cluster_wide =
        end.kind == EndName::Kind::HostEndpoint || end.kind == EndName::Kind::Node;
    const std::size_t slash = rest.find('/');
    if (cluster_wide != (slash == std::string_view::npos))
        return bad_end(text);
    if (!cluster_wide) {
        end.space = std::string(rest.substr(0, slash));
        rest = rest.substr(slash + 1);
    }
    end.name = std::string(rest);
    if (end.name.empty() || (!cluster_wide && end.space.empty()) ||
        end.name.find('/') != std::string::npos || text.find(' ') != std::string_view::npos)
        return bad_end(text);
    return end;
}

Result<net::Protocol> parse_protocol(std::string_view text) {
    if (const auto named = net::protocol_by_name(text))
        return *named;
    if (const auto numbered = number(text, 255))
        return static_cast<net::Protocol>(*numbered);
    return Error{fmt::format("`{}` is no protocol: write TCP, UDP, SCTP, ICMP, ICMPv6, UDPLite or "
                             "a number from 0 to 255",
                             text)};
}

Result<Traffic> parse_port(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto port = number(text.substr(0, slash), 65535);
    if (slash == std::string_view::npos || !port)
        return Error{fmt::format("`{}` is no port: write 80/TCP, 53/UDP or 9999/SCTP", text)};
    const auto protocol = parse_protocol(text.substr(slash + 1));
    if (!protocol)
        return Error{protocol.error()};
    if (!net::has_ports(*protocol) && *protocol != net::kUdpLite)
        return Error{fmt::format("`{}`: {} has no ports", text, text.substr(slash + 1))};
    Traffic out;
    out.protocol = *protocol;
    out.port = static_cast<std::uint16_t>(*port);
    return out;
}

Result<Traffic> parse_icmp(std::string_view text, net::Protocol protocol) {
    const std::size_t slash = text.find('/');
    const auto type = number(text.substr(0, slash), 255);
    const auto code = slash == std::string_view::npos ? std::optional<unsigned>()
                                                      : number(text.substr(slash + 1), 255);
    if (!type || (slash != std::string_view::npos && !code))
        return Error{fmt::format("`{}` is no ICMP type: write 8 or 8/0", text)};
    Traffic out;
    out.protocol = protocol;
    out.icmp_type = static_cast<std::uint8_t>(*type);
    if (code)
        out.icmp_code = static_cast<std::uint8_t>(*code);
    return out;
}

namespace {

Result<IcmpRange> parse_icmp_range(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto types = interval(text.substr(0, slash), 255);
    const auto codes = slash == std::string_view::npos ? std::optional(Interval{0, 255})
                                                       : interval(text.substr(slash + 1), 255);
    if (!types || !codes)
        return Error{fmt::format("`{}` is no range of ICMP types and codes: write 8, 8/0 or "
                                 "0-7/0-255",
                                 text)};
    return IcmpRange{
        static_cast<std::uint8_t>(types->first), static_cast<std::uint8_t>(types->last),
        static_cast<std::uint8_t>(codes->first), static_cast<std::uint8_t>(codes->last)};
}

/// What stands after the protocol: `*`, `none`, ports, or ICMP types and codes.
Result<ProtocolConnections> parse_values(net::Protocol protocol, std::string_view text) {
    ProtocolConnections out;
    out.protocol = protocol;
    out.all = text == "*";
    if (out.all || text == "none")
        return out;
    if (protocol == net::kIcmp || protocol == net::kIcmpV6) {
        for (const std::string_view item : split(text, ',')) {
            const auto range = parse_icmp_range(item);
            if (!range)
                return Error{range.error()};
            out.icmp.push_back(*range);
        }
        return out;
    }
    if (!net::has_ports(protocol))
        return Error{fmt::format("`{}`: only `*` or `none` can stand after a protocol without "
                                 "ports",
                                 text)};
    std::vector<net::PortRange> ranges;
    for (const std::string_view item : split(text, ',')) {
        const auto ports = interval(item, 65535);
        if (!ports)
            return Error{fmt::format("`{}` is no port or range of ports", item)};
        ranges.push_back(net::PortRange{static_cast<std::uint16_t>(ports->first),
                                        static_cast<std::uint16_t>(ports->last)});
    }
    out.ports = net::PortSet::of(ranges);
    return out;
}

Result<Connections> add_item(Connections out, std::string_view item) {
    const std::size_t space = item.find(' ');
    if (space == std::string_view::npos)
        return Error{
            fmt::format("`{}` is no connection: write PROTOCOL PORTS, such as TCP 80,443", item)};
    const std::string_view name = item.substr(0, space), values = trim(item.substr(space));
    if (name == "other") {
        if (values != "*" || out.other)
            return Error{"`other` is written once, as `other *`"};
        out.other = true;
        return out;
    }
    const auto protocol = parse_protocol(name);
    if (!protocol)
        return Error{protocol.error()};
    const auto same = [&](const ProtocolConnections& each) { return each.protocol == *protocol; };
    if (std::any_of(out.named.begin(), out.named.end(), same))
        return Error{fmt::format("{} stands twice", name)};
    auto connections = parse_values(*protocol, values);
    if (!connections)
        return Error{connections.error()};
    out.named.push_back(std::move(*connections));
    return out;
}

} // namespace

Result<Connections> parse_connections(std::string_view text) {
    Connections out;
    if (trim(text) == "*") {
        out.other = true;
        return out;
    }
    for (const std::string_view item : split(text, ';')) {
        auto next = add_item(std::move(out), item);
        if (!next)
            return Error{next.error()};
        out = std::move(*next);
    }
    std::sort(out.named.begin(), out.named.end());
    return out;
}

} // namespace polecat::frontend
