#include "analyzer/algebra/connections.h"

#include <algorithm>

#include <fmt/format.h>

namespace polecat::analyzer {

using net::PortRange;
using net::PortSet;

namespace {

const PortSet kAllTypes = PortSet::of(PortRange{0, 65535}); ///< of ICMP, with codes
const PortSet kAllPorts = PortSet::of(PortRange{1, 65535}); ///< that a connection can have

bool is_other(unsigned protocol) {
    const auto number = static_cast<net::Protocol>(protocol);
    return !net::has_ports(number) && number != net::kIcmp && number != net::kIcmpV6;
}

} // namespace

PortPairs PortPairs::of(const PortSet& destination, const PortSet& source) {
    PortPairs out;
    const PortSet real_source = source & kAllPorts, real_destination = destination & kAllPorts;
    if (!real_source.empty())
        for (const PortRange& range : real_destination.ranges())
            out.rows_.push_back({range, real_source});
    return out;
}

PortPairs PortPairs::all() {
    return of(kAllPorts, kAllPorts);
}

PortSet PortPairs::destinations() const {
    std::vector<PortRange> ranges;
    for (const Row& row : rows_)
        ranges.push_back(row.destination);
    return PortSet::of(ranges);
}

/// Walks both lists from port 0 up, cutting at every border.
PortPairs PortPairs::combine(const PortPairs& other, Op op) const {
    if (empty() || other.empty())
        return op == Op::And ? PortPairs{} : op == Op::Minus || other.empty() ? *this : other;
    if (rows_ == other.rows_)
        return op == Op::Minus ? PortPairs{} : *this;
    PortPairs out;
    static const PortSet none;
    std::size_t i = 0, j = 0;
    const auto source_at = [&](const std::vector<Row>& rows, std::size_t at,
                               unsigned port) -> const PortSet& {
        return at < rows.size() && rows[at].destination.first <= port ? rows[at].source : none;
    };
    const auto border = [](const std::vector<Row>& rows, std::size_t at, unsigned port) {
        if (at >= rows.size())
            return 65536u;
        const PortRange& range = rows[at].destination;
        return port < range.first ? unsigned{range.first} : range.last + 1u;
    };
    for (unsigned port = 0; port < 65536;) {
        const unsigned end = std::min(border(rows_, i, port), border(other.rows_, j, port));
        const PortSet& a = source_at(rows_, i, port);
        const PortSet& b = source_at(other.rows_, j, port);
        PortSet source = op == Op::Or    ? (a.empty()   ? b
                                            : b.empty() ? a
                                                        : a | b)
                         : op == Op::And ? (a.empty() || b.empty() ? none : a & b)
                                         : (a.empty() || b.empty() ? a : a - b);
        if (!source.empty()) {
            const PortRange range{static_cast<std::uint16_t>(port),
                                  static_cast<std::uint16_t>(end - 1)};
            if (!out.rows_.empty() && out.rows_.back().destination.last + 1u == port &&
                out.rows_.back().source == source)
                out.rows_.back().destination.last = range.last;
            else
                out.rows_.push_back({range, std::move(source)});
        }
        port = end;
        while (i < rows_.size() && rows_[i].destination.last < port)
            ++i;
        while (j < other.rows_.size() && other.rows_[j].destination.last < port)
            ++j;
    }
    return out;
}

const ConnectionSet& ConnectionSet::all() {
    static const ConnectionSet kAll = [] {
        ConnectionSet out;
        out.tcp_ = out.udp_ = out.sctp_ = PortPairs::all();
        out.icmp_ = out.icmp6_ = kAllTypes;
        for (unsigned i = 0; i < 256; ++i)
            out.others_[i] = is_other(i);
        return out;
    }();
    return kAll;
}

ConnectionSet ConnectionSet::of(net::Protocol protocol, PortPairs ports) {
    ConnectionSet out;
    if (protocol == net::kTcp)
        out.tcp_ = std::move(ports);
    else if (protocol == net::kUdp)
        out.udp_ = std::move(ports);
    else if (protocol == net::kSctp)
        out.sctp_ = std::move(ports);
    return out;
}

ConnectionSet ConnectionSet::of_icmp(net::Protocol protocol, PortSet types) {
    ConnectionSet out;
    (protocol == net::kIcmp ? out.icmp_ : out.icmp6_) = std::move(types);
    return out;
}

ConnectionSet ConnectionSet::of(net::Protocol protocol) {
    if (net::has_ports(protocol))
        return of(protocol, PortPairs::all());
    if (!is_other(protocol))
        return of_icmp(protocol, kAllTypes);
    ConnectionSet out;
    out.others_[protocol] = true;
    return out;
}

ConnectionSet ConnectionSet::of_ports(const PortPairs& ports) {
    ConnectionSet out;
    out.tcp_ = out.udp_ = out.sctp_ = ports;
    return out;
}

ConnectionSet ConnectionSet::of_requests(const HttpSet& requests, const PortPairs& ports) {
    ConnectionSet out;
    if (!ports.empty())
        for (const std::uint32_t atom : requests)
            out.requests_.push_back({atom, ports});
    return out;
}

const PortPairs& ConnectionSet::request_ports(std::uint32_t request) const {
    const auto place =
        std::lower_bound(requests_.begin(), requests_.end(), request,
                         [](const Request& each, std::uint32_t atom) { return each.atom < atom; });
    return place != requests_.end() && place->atom == request ? place->ports : tcp_;
}

ConnectionSet ConnectionSet::without_requests() const {
    ConnectionSet out = *this;
    out.requests_.clear();
    return out;
}

bool ConnectionSet::empty() const {
    return requests_.empty() && tcp_.empty() && udp_.empty() && sctp_.empty() && icmp_.empty() &&
           icmp6_.empty() && others_.none();
}

template <class Combine>
ConnectionSet ConnectionSet::combined(const ConnectionSet& other, Combine op) const {
    ConnectionSet out;
    out.tcp_ = op(tcp_, other.tcp_);
    out.udp_ = op(udp_, other.udp_);
    out.sctp_ = op(sctp_, other.sctp_);
    out.icmp_ = op(icmp_, other.icmp_);
    out.icmp6_ = op(icmp6_, other.icmp6_);
    for (auto a = requests_.begin(), b = other.requests_.begin();
         a != requests_.end() || b != other.requests_.end();) {
        const std::uint32_t atom =
            b == other.requests_.end() || (a != requests_.end() && a->atom <= b->atom) ? a->atom
                                                                                       : b->atom;
        PortPairs ports = op(request_ports(atom), other.request_ports(atom));
        if (ports != out.tcp_)
            out.requests_.push_back({atom, std::move(ports)});
        if (a != requests_.end() && a->atom == atom)
            ++a;
        if (b != other.requests_.end() && b->atom == atom)
            ++b;
    }
    return out;
}

ConnectionSet ConnectionSet::operator|(const ConnectionSet& other) const {
    ConnectionSet out = combined(other, [](const auto& a, const auto& b) { return a | b; });
    out.others_ = others_ | other.others_;
    return out;
}

ConnectionSet ConnectionSet::operator&(const ConnectionSet& other) const {
    ConnectionSet out = combined(other, [](const auto& a, const auto& b) { return a & b; });
    out.others_ = others_ & other.others_;
    return out;
}

ConnectionSet ConnectionSet::operator-(const ConnectionSet& other) const {
    ConnectionSet out = combined(other, [](const auto& a, const auto& b) { return a - b; });
    out.others_ = others_ & ~other.others_;
    return out;
}

std::size_t ConnectionSet::hash() const {
    std::size_t hash = std::hash<std::bitset<256>>{}(others_);
    const auto mix = [&](std::size_t value) {
        hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 31;
    };
    const auto mix_set = [&](const PortSet& set) {
        for (const PortRange& range : set.ranges())
            mix((std::size_t{range.first} << 16) | range.last);
        mix(7);
    };
    const auto mix_pairs = [&](const PortPairs& pairs) {
        for (const PortPairs::Row& row : pairs.rows()) {
            mix((std::size_t{row.destination.first} << 16) | row.destination.last);
            mix_set(row.source);
        }
        mix(11);
    };
    for (const PortPairs* pairs : {&tcp_, &udp_, &sctp_})
        mix_pairs(*pairs);
    mix_set(icmp_);
    mix_set(icmp6_);
    for (const Request& request : requests_) {
        mix(request.atom);
        mix_pairs(request.ports);
    }
    return hash;
}

const PortPairs& ConnectionSet::ports(net::Protocol protocol) const {
    return protocol == net::kTcp ? tcp_ : protocol == net::kUdp ? udp_ : sctp_;
}

const PortSet& ConnectionSet::icmp_types(net::Protocol protocol) const {
    return protocol == net::kIcmp ? icmp_ : icmp6_;
}

namespace {

std::string range_text(const PortRange& range) {
    return range.first == range.last ? fmt::format("{}", range.first)
                                     : fmt::format("{}-{}", range.first, range.last);
}

std::string ports_text(const PortSet& ports) {
    std::string out;
    for (const PortRange& range : ports.ranges())
        out += (out.empty() ? "" : ",") + range_text(range);
    return out;
}

/// "80,443", and with source ports "80 from 1024-65535, 90 from 7".
std::string pairs_text(const PortPairs& pairs) {
    std::vector<PortRange> plain;
    std::string bound;
    for (const PortPairs::Row& row : pairs.rows()) {
        if (row.source == kAllPorts)
            plain.push_back(row.destination);
        else
            bound += fmt::format("{}{} from {}", bound.empty() ? "" : ",",
                                 range_text(row.destination), ports_text(row.source));
    }
    const PortSet free = PortSet::of(plain);
    if (free == kAllPorts)
        return "*";
    const std::string text = ports_text(free);
    return text + (text.empty() || bound.empty() ? "" : ",") + bound;
}

/// Types with all codes are written by type alone.
std::string icmp_text(const PortSet& types) {
    if (types == kAllTypes)
        return "*";
    std::string out;
    const auto add = [&](unsigned first, unsigned last, unsigned code, unsigned code_last) {
        out += out.empty() ? "" : ",";
        out += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
        if (code != 0 || code_last != 255)
            out += code == code_last ? fmt::format("/{}", code)
                                     : fmt::format("/{}-{}", code, code_last);
    };
    for (const PortRange& range : types.ranges()) {
        unsigned first = range.first;
        const unsigned last = range.last;
        while (first <= last) {
            const unsigned type = first / 256;
            if (first % 256 == 0 && last >= type * 256 + 255) {
                const unsigned whole = (last + 1) / 256;
                add(type, whole - 1, 0, 255);
                first = whole * 256;
            } else {
                const unsigned stop = std::min(last, type * 256 + 255);
                add(type, type, first % 256, stop % 256);
                first = stop + 1;
            }
        }
    }
    return out;
}

} // namespace

std::string ConnectionSet::describe_packets() const {
    const ConnectionSet& whole = all();
    std::string out;
    const auto add = [&](const std::string& name, const std::string& what) {
        out += (out.empty() ? "" : "; ") + name + " " + what;
    };
    const bool other = others_ == whole.others_;
    bool complete = other;
    const auto named = [&](const std::string& name, const std::string& what) {
        complete = complete && what == "*";
        if (!what.empty() && !(other && what == "*"))
            add(name, what);
        else if (what.empty() && other)
            add(name, "none");
    };
    named("TCP", pairs_text(tcp_));
    named("UDP", pairs_text(udp_));
    named("SCTP", pairs_text(sctp_));
    named("ICMP", icmp_text(icmp_));
    named("ICMPv6", icmp_text(icmp6_));
    if (complete)
        return "*";
    if (other) {
        add("other", "*");
        return out;
    }
    const auto missing = whole.others_ & ~others_;
    if (others_.count() > missing.count()) { // nearly all: say which are not
        for (unsigned i = 0; i < 256; ++i)
            if (missing[i])
                add(net::to_string_protocol(static_cast<net::Protocol>(i)), "none");
        for (const auto& [name, text] :
             {std::pair{"TCP", pairs_text(tcp_)}, std::pair{"UDP", pairs_text(udp_)},
              std::pair{"SCTP", pairs_text(sctp_)}, std::pair{"ICMP", icmp_text(icmp_)},
              std::pair{"ICMPv6", icmp_text(icmp6_)}})
            if (text.empty())
                add(name, "none");
        add("other", "*");
        return out;
    }
    for (unsigned i = 0; i < 256; ++i)
        if (others_[i])
            add(net::to_string_protocol(static_cast<net::Protocol>(i)), "*");
    return out.empty() ? "none" : out;
}

/// Classes of requests that go through on the same ports are told together. Ports on which
/// connections go through whatever is asked are left out.
std::string ConnectionSet::describe_requests(const HttpAtoms& atoms) const {
    std::vector<std::pair<PortPairs, HttpSet>> by_ports;
    for (const Request& request : requests_) {
        PortPairs more = request.ports - tcp_;
        const auto same = std::find_if(by_ports.begin(), by_ports.end(),
                                       [&](const auto& each) { return each.first == more; });
        if (same != by_ports.end())
            same->second.push_back(request.atom);
        else if (!more.empty())
            by_ports.emplace_back(std::move(more), HttpSet{request.atom});
    }
    std::string out;
    for (const auto& [ports, requests] : by_ports)
        out += fmt::format("{}HTTP on TCP {}: {}", out.empty() ? "" : "; ", pairs_text(ports),
                           atoms.describe(requests));
    return out;
}

std::string ConnectionSet::describe(const HttpAtoms& atoms) const {
    const std::string requests = describe_requests(atoms);
    if (requests.empty())
        return describe_packets();
    const ConnectionSet packets = without_requests();
    return packets.empty() ? requests : packets.describe_packets() + "; " + requests;
}

} // namespace polecat::analyzer
