/// The variables of one packet (all of a flow but its ends), and what a match asks of them.
#pragma once

#include "analyzer/algebra/connections.h"
#include "analyzer/algebra/http_atoms.h"
#include "analyzer/z3/formula.h"
#include "ir/decision/flow.h"
#include "ir/decision/program.h"

namespace polecat::smt {

/// A packet as real ones are: TCP, UDP and SCTP have ports from 1 to 65535, requests come over TCP.
class Packet {
  public:
    /// Both must outlive this.
    Packet(Terms& terms, const analyzer::HttpAtoms& requests, net::Family family);

    /// What holds of every packet.
    Term domain() const { return domain_; }
    /// What a match asks beside its ends.
    Term matches(const decision::Match& match);
    /// The packet is one of the set.
    Term in(const analyzer::ConnectionSet& set);
    /// The port of that side is one of these.
    Term port_in(const net::PortSet& ports, bool source);
    /// Type * 256 + code is one of these, whatever the protocol.
    Term icmp_in(const net::PortSet& types);
    /// This protocol with this port on that side.
    Term is_at(net::Protocol protocol, std::uint16_t port, bool source);
    Term is_protocol(net::Protocol protocol) {
        return terms_.equal(protocol_, terms_.number(protocol, 8));
    }
    Term has_ports() const { return has_ports_; }

    /// The flow that a model describes, without its ends.
    decision::Flow flow(const Model& model) const;

  private:
    Term icmp(const decision::IcmpTypeCode& wanted);
    Term http(const decision::Match::Http& wanted);
    Term make_domain();
    Term in_ports(const analyzer::PortPairs& pairs);
    Term in_tcp(const analyzer::ConnectionSet& set);
    net::Protocol icmp_protocol() const {
        return family_ == net::Family::V4 ? net::kIcmp : net::kIcmpV6;
    }

    Terms& terms_;
    const analyzer::HttpAtoms& requests_;
    net::Family family_;
    Term protocol_, source_port_, destination_port_, icmp_type_, icmp_code_;
    Term has_request_, request_; ///< HTTP attributes are seen; the class of the request
    Term has_ports_, domain_;
};

/// Bits that tell so many numbers apart; at least one.
unsigned bits_for(std::size_t count);
/// The address lies in the set. `address`: a variable of the family's width.
Term in_set(Terms& terms, Term address, const net::AddressSet& set, net::Family family);

} // namespace polecat::smt
