#include "driver/verify/chain_formula.h"

#include <algorithm>

namespace polecat::driver {

using smt::Term;
using Unsaid = ProvedRules::Unsaid;

ChainFormula::ChainFormula(const ChainProgram& program, const AskedOwn& own, bool own_is_source,
                           const smt::ExistingEnds& ends)
    : program_(program), own_(own), own_is_source_(own_is_source), ends_(ends) {
    read_sets();
    for (const bool source : {false, true})
        mark_spots(source, own, source == own_is_source);
}

void ChainFormula::read_sets() {
    for (const bool source : {false, true}) {
        asked_[source] = sets_asked(program_, source);
        for (const std::string& name : asked_[source]) {
            const iptables::Set& set = *program_.rules->find_set(name);
            Members& made = members_[name];
            std::vector<net::Cidr> nets;
            made.ports.clear();
            for (const iptables::Member& each : set.members) {
                nets.push_back(each.nets);
                if (set.type != iptables::Set::Type::AddressPorts)
                    continue;
                if (each.nets.prefix != net::width(set.family))
                    throw Unsaid{"set " + name + " has ports of whole nets"};
                made.ports[each.nets.base].emplace_back(each.protocol, each.port);
            }
            made.addresses = net::AddressSet::of(nets);
        }
    }
}

/// Spots that are in the same sets have one mark.
void ChainFormula::mark_spots(bool source, const AskedOwn& own, bool is_own) {
    std::map<std::map<std::string, Ports>, std::uint32_t> numbers;
    for (const auto& spot : ends_.spots()) {
        if (!spot.address || (is_own && !own.addresses.contains(*spot.address))) {
            marks_[source].push_back(kNowhere);
            continue;
        }
        std::map<std::string, Ports> in;
        for (const std::string& name : asked_[source])
            if (const Members& set = members_.at(name); set.addresses.contains(*spot.address)) {
                const auto ports = set.ports.find(*spot.address);
                in[name] = ports == set.ports.end() ? Ports{} : ports->second;
            }
        const auto next = static_cast<std::uint32_t>(numbers.size());
        const auto [place, added] = numbers.try_emplace(std::move(in), next);
        if (added)
            in_sets_[source][next] = place->first;
        marks_[source].push_back(place->second);
    }
}

Term ChainFormula::is_own(const Question& question) {
    const Term other = question.variables.has_mark(kNowhere, own_is_source_);
    const Term address = question.variables.address(own_is_source_);
    if (own_.objects)
        return question.terms.negate(other);
    const Term elsewhere =
        question.terms.both(question.variables.is_outside(own_is_source_),
                            question.terms.negate(smt::in_set(question.terms, address,
                                                              own_.addresses, program_.family)));
    return question.terms.negate(question.terms.either(other, elsewhere));
}

Term ChainFormula::passes(const Question& question, bool by_rule) {
    const Ends ends = ends_of(question, program_.chain);
    return by_rule && !program_.allows.empty() ? ends.allowed
                                               : question.terms.either(ends.allowed, ends.returned);
}

/// From the last rule to the first. Who comes to the end of a chain returns.
ChainFormula::Ends ChainFormula::ends_of(const Question& question, const std::string& chain) {
    if (const auto found = known_.find(chain); found != known_.end())
        return found->second;
    smt::Terms& terms = question.terms;
    Ends out{terms.truth(false), terms.truth(true)};
    const auto& rules = rules_of_chain(program_, chain);
    for (std::size_t last = rules.size(); last > 0;) {
        const iptables::Target& target = rules[last - 1].target;
        const ChainEnd end = end_of_rule(program_, rules[last - 1]);
        // Rules beside each other that do the same are one.
        std::vector<Term> any;
        for (; last > 0 && rules[last - 1].target.kind == target.kind &&
               rules[last - 1].target.name == target.name;
             --last) {
            std::vector<Term> all;
            for (const iptables::Match& each : rules[last - 1].matches)
                all.push_back(of_match(question, each));
            any.push_back(terms.all_of(std::move(all)));
        }
        if (end == ChainEnd::GoesOn)
            continue;
        const Term here = terms.any_of(std::move(any));
        Ends then{terms.truth(end == ChainEnd::Allowed), terms.truth(end == ChainEnd::Returns)};
        if (end == ChainEnd::Elsewhere)
            then = ends_of(question, target.name);
        const auto choose = [&](Term one, Term other) {
            return terms.either(terms.both(here, one), terms.except(other, here));
        };
        out = {choose(then.allowed, out.allowed), choose(then.returned, out.returned)};
    }
    known_[chain] = out;
    return out;
}

Term ChainFormula::of_match(const Question& question, const iptables::Match& match) {
    smt::Terms& terms = question.terms;
    smt::Packet& packet = question.packet;
    const auto unless = [&](Term term, bool negated) {
        return negated ? terms.negate(term) : term;
    };
    if (const auto* protocol = std::get_if<iptables::ProtocolIs>(&match))
        return unless(packet.is_protocol(protocol->protocol), protocol->negated);
    if (const auto* other = std::get_if<iptables::NotFlowProtocol>(&match))
        return terms.negate(packet.is_protocol(other->protocol));
    if (const auto* ports = std::get_if<iptables::PortIn>(&match))
        return terms.both(packet.has_ports(),
                          unless(packet.port_in(net::PortSet::of(ports->ports),
                                                of_source(program_, ports->source)),
                                 ports->negated));
    if (const auto* in = std::get_if<iptables::InSet>(&match))
        return unless(in_set(question, *in), in->negated);
    const auto* icmp = std::get_if<iptables::IcmpIs>(&match);
    if (icmp == nullptr || icmp->v6 != (program_.family == net::Family::V6))
        throw Unsaid{"a rule asks what rules of a program do not"};
    const int type = icmp_type_of_flow(program_, icmp->type) * 256;
    const auto value = [&](int code) { return static_cast<std::uint16_t>(type + code); };
    const net::PortRange codes{value(icmp->code.value_or(0)), value(icmp->code.value_or(255))};
    return terms.both(packet.is_protocol(icmp->v6 ? net::kIcmpV6 : net::kIcmp),
                      unless(is_any_type(*icmp)
                                 ? terms.truth(true)
                                 : packet.icmp_in(net::PortSet::of(std::vector{codes})),
                             icmp->negated));
}

Term ChainFormula::in_set(const Question& question, const iptables::InSet& match) {
    const bool source = of_source(program_, match.source);
    const auto [place, added] = known_sets_.try_emplace({match.set, source});
    if (!added)
        return place->second;
    smt::Terms& terms = question.terms;
    const Members& set = members_.at(match.set);
    std::vector<Term> parts;
    for (const auto& [mark, in] : in_sets_[source])
        if (const auto found = in.find(match.set); found != in.end()) {
            const Term here = question.variables.has_mark(mark, source);
            parts.push_back(
                match.pair ? terms.both(here, with_ports(question, found->second, source)) : here);
        }
    const Term outside = question.variables.is_outside(source);
    const auto of_outside = [&](const net::AddressSet& addresses) {
        return terms.both(outside, smt::in_set(terms, question.variables.address(source), addresses,
                                               program_.family));
    };
    if (!terms.is_false(outside) && !match.pair)
        parts.push_back(of_outside(set.addresses));
    if (!terms.is_false(outside) && match.pair)
        for (const auto& [address, ports] : set.ports)
            if (ends_.outside().contains(address))
                parts.push_back(
                    terms.both(of_outside(net::AddressSet::of(net::Range{address, address})),
                               with_ports(question, ports, source)));
    return place->second = terms.any_of(std::move(parts));
}

Term ChainFormula::with_ports(const Question& question, const Ports& ports, bool source) const {
    std::vector<Term> out;
    for (const auto& [protocol, port] : ports)
        if (net::has_ports(protocol))
            out.push_back(question.packet.is_at(protocol, port, source));
    return question.terms.any_of(std::move(out));
}

} // namespace polecat::driver
