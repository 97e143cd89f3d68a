#include "analyzer/z3/packet.h"

#include <algorithm>

namespace polecat::smt {

unsigned bits_for(std::size_t count) {
    unsigned bits = 1;
    while ((std::size_t{1} << bits) < count)
        ++bits;
    return bits;
}

Term in_set(Terms& terms, Term address, const net::AddressSet& set, net::Family family) {
    const unsigned width = net::width(family);
    const auto bits = [](const net::Address& a) { return Bits{a.high, a.low}; };
    std::vector<Term> ranges;
    const net::AddressSet of_family = set.of_family(family);
    for (const net::Range& range : of_family.ranges()) {
        const auto cidrs = net::AddressSet::of(range).cidrs();
        if (cidrs.size() != 1 || cidrs.front().prefix == 0) {
            ranges.push_back(terms.in_range(address, bits(range.first), bits(range.last)));
            continue;
        }
        // A prefix is a test of its bits alone.
        const unsigned below = width - cidrs.front().prefix;
        const Term given = terms.constant(bits(range.first), width);
        const Bits prefix = terms.evaluate(terms.extract(given, below, cidrs.front().prefix), {});
        ranges.push_back(terms.equal(terms.extract(address, below, cidrs.front().prefix),
                                     terms.constant(prefix, cidrs.front().prefix)));
    }
    return terms.any_of(std::move(ranges));
}

Packet::Packet(Terms& terms, const analyzer::HttpAtoms& requests, net::Family family)
    : terms_(terms), requests_(requests), family_(family), protocol_(terms.variable("protocol", 8)),
      source_port_(terms.variable("source port", 16)),
      destination_port_(terms.variable("destination port", 16)),
      icmp_type_(terms.variable("icmp type", 8)), icmp_code_(terms.variable("icmp code", 8)),
      has_request_(terms.variable("http seen", 0)),
      request_(terms.variable("http request", bits_for(requests.count()))) {
    has_ports_ =
        terms_.any_of({is_protocol(net::kTcp), is_protocol(net::kUdp), is_protocol(net::kSctp)});
    domain_ = make_domain();
}

Term Packet::make_domain() {
    const Term no_port = terms_.number(0, 16);
    const Term ports = terms_.both(terms_.negate(terms_.equal(source_port_, no_port)),
                                   terms_.negate(terms_.equal(destination_port_, no_port)));
    return terms_.all_of(
        {terms_.either(terms_.negate(has_ports_), ports),
         terms_.either(terms_.negate(has_request_), is_protocol(net::kTcp)),
         terms_.in_range(request_, {}, Bits{0, std::max(requests_.count(), 1u) - 1u})});
}

Term Packet::port_in(const net::PortSet& ports, bool source) {
    std::vector<Term> ranges;
    for (const net::PortRange& range : ports.ranges())
        ranges.push_back(terms_.in_range(source ? source_port_ : destination_port_,
                                         Bits{0, range.first}, Bits{0, range.last}));
    return terms_.both(has_ports_, terms_.any_of(std::move(ranges)));
}

Term Packet::is_at(net::Protocol protocol, std::uint16_t port, bool source) {
    return terms_.both(
        is_protocol(protocol),
        terms_.equal(source ? source_port_ : destination_port_, terms_.number(port, 16)));
}

Term Packet::icmp(const decision::IcmpTypeCode& wanted) {
    std::vector<Term> parts{is_protocol(icmp_protocol())};
    if (wanted.type)
        parts.push_back(terms_.equal(icmp_type_, terms_.number(*wanted.type, 8)));
    if (wanted.code)
        parts.push_back(terms_.equal(icmp_code_, terms_.number(*wanted.code, 8)));
    return terms_.all_of(std::move(parts));
}

Term Packet::http(const decision::Match::Http& wanted) {
    const unsigned width = terms_[request_].width;
    std::vector<Term> classes;
    for (const std::uint32_t atom : requests_.of(wanted))
        classes.push_back(terms_.equal(request_, terms_.number(atom, width)));
    return terms_.both(has_request_, terms_.any_of(std::move(classes)));
}

Term Packet::matches(const decision::Match& match) {
    // The ends are asked for by who encodes the rest.
    const auto& [wanted, left_out, type, not_type, source, destination, request] = match;
    std::vector<Term> parts;
    if (wanted)
        parts.push_back(is_protocol(*wanted));
    if (left_out)
        parts.push_back(terms_.negate(is_protocol(*left_out)));
    if (type)
        parts.push_back(icmp(*type));
    if (not_type)
        parts.push_back(terms_.negate(icmp(*not_type)));
    if (request)
        parts.push_back(http(*request));
    return terms_.all_of(std::move(parts));
}

Term Packet::in_ports(const analyzer::PortPairs& pairs) {
    std::vector<Term> rows;
    for (const analyzer::PortPairs::Row& row : pairs.rows())
        rows.push_back(terms_.both(port_in(net::PortSet::of(row.destination), false),
                                   port_in(row.source, true)));
    return terms_.any_of(std::move(rows));
}

/// Connections whose requests nobody sees, and each class of requests.
Term Packet::in_tcp(const analyzer::ConnectionSet& set) {
    const Term unseen = in_ports(set.ports(net::kTcp));
    std::vector<Term> parts{terms_.both(unseen, terms_.negate(has_request_))};
    for (std::uint32_t atom = 0; atom < std::max(requests_.count(), 1u); ++atom)
        parts.push_back(terms_.all_of(
            {has_request_, terms_.equal(request_, terms_.number(atom, terms_[request_].width)),
             in_ports(set.request_ports(atom))}));
    return terms_.any_of(std::move(parts));
}

/// Ranges of type * 256 + code.
Term Packet::icmp_in(const net::PortSet& types) {
    std::vector<Term> ranges;
    for (const net::PortRange& range : types.ranges()) {
        const auto number = [&](unsigned value) { return terms_.number(value, 8); };
        const auto type = [&](unsigned of) { return number(of / 256); };
        const auto code = [&](unsigned of) { return number(of % 256); };
        ranges.push_back(
            terms_.both(terms_.either(terms_.less(type(range.first), icmp_type_),
                                      terms_.both(terms_.equal(icmp_type_, type(range.first)),
                                                  terms_.at_most(code(range.first), icmp_code_))),
                        terms_.either(terms_.less(icmp_type_, type(range.last)),
                                      terms_.both(terms_.equal(icmp_type_, type(range.last)),
                                                  terms_.at_most(icmp_code_, code(range.last))))));
    }
    return terms_.any_of(std::move(ranges));
}

Term Packet::in(const analyzer::ConnectionSet& set) {
    std::vector<Term> parts{terms_.both(is_protocol(net::kTcp), in_tcp(set))};
    for (const net::Protocol protocol : {net::kUdp, net::kSctp})
        parts.push_back(terms_.both(is_protocol(protocol), in_ports(set.ports(protocol))));
    for (const net::Protocol protocol : {net::kIcmp, net::kIcmpV6})
        parts.push_back(terms_.both(is_protocol(protocol), icmp_in(set.icmp_types(protocol))));
    std::vector<std::uint8_t> others;
    for (unsigned protocol = 0; protocol < 256; ++protocol)
        if (set.has_other(static_cast<net::Protocol>(protocol)))
            others.push_back(static_cast<std::uint8_t>(protocol));
    for (std::size_t i = 0, end = 0; i < others.size(); i = end) {
        for (end = i + 1; end < others.size() && others[end] == others[end - 1] + 1;)
            ++end;
        parts.push_back(terms_.in_range(protocol_, Bits{0, others[i]}, Bits{0, others[end - 1]}));
    }
    return terms_.any_of(std::move(parts));
}

decision::Flow Packet::flow(const Model& model) const {
    const auto value = [&](Term term) { return terms_.evaluate(term, model).low; };
    decision::Flow flow;
    flow.family = family_;
    flow.protocol = static_cast<net::Protocol>(value(protocol_));
    if (net::has_ports(flow.protocol)) {
        flow.source_port = static_cast<std::uint16_t>(value(source_port_));
        flow.destination_port = static_cast<std::uint16_t>(value(destination_port_));
    }
    if (flow.protocol == icmp_protocol()) {
        flow.icmp_type = static_cast<std::uint8_t>(value(icmp_type_));
        flow.icmp_code = static_cast<std::uint8_t>(value(icmp_code_));
    }
    if (terms_.holds(has_request_, model))
        flow.http = requests_.example(static_cast<std::uint32_t>(value(request_)));
    return flow;
}

} // namespace polecat::smt
