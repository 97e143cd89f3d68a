#include "backends/iptables/filter_rules.h"

#include <set>
#include <stdexcept>

namespace polecat::iptables {

using decision::EndMatch;
using decision::PortMatch;

namespace {

using Matches = std::vector<Match>;

/// Packets of one protocol, or of all but some.
struct PacketKind {
    std::optional<net::Protocol> is;
    std::set<net::Protocol> is_not;
};

/// Ports in lots that one rule can ask for.
std::vector<std::vector<net::PortRange>> lots_of(const net::PortSet& ports) {
    std::vector<std::vector<net::PortRange>> out;
    std::size_t room = 0;
    for (const net::PortRange& range : ports.ranges()) {
        const std::size_t size = range.first == range.last ? 1 : 2;
        if (room < size) {
            out.emplace_back();
            room = iptables::kMostPorts;
        }
        out.back().push_back(range);
        room -= size;
    }
    return out;
}

class RuleMaker {
  public:
    RuleMaker(const decision::Match& match, net::Family family, const SetOf& set_of)
        : match_(match), v6_(family == net::Family::V6), icmp_(v6_ ? net::kIcmpV6 : net::kIcmp),
          set_of_(set_of) {
        const auto& [protocol, not_protocol, icmp, not_icmp, source, destination, http] = match_;
        if (http || protocol == net::Protocol{0} || not_protocol == net::Protocol{0})
            throw std::logic_error("iptables can't ask for this match");
    }

    std::vector<Matches> run() {
        for (const PacketKind& kind : kinds())
            add(kind);
        return std::move(out_);
    }

  private:
    /// Cut as far as what else is asked depends on the protocol.
    std::vector<PacketKind> kinds() const {
        std::set<net::Protocol> cut;
        if (match_.icmp || match_.not_icmp)
            cut.insert(icmp_);
        for (const EndMatch* end : {&match_.source, &match_.destination})
            if (end->ports || end->not_ports)
                cut.insert({net::kTcp, net::kUdp, net::kSctp});
        if (match_.protocol)
            return match_.protocol == match_.not_protocol
                       ? std::vector<PacketKind>{}
                       : std::vector<PacketKind>{{*match_.protocol, {}}};
        std::vector<PacketKind> out;
        for (const net::Protocol each : cut)
            if (match_.not_protocol != each)
                out.push_back({each, {}});
        PacketKind rest{{}, cut};
        if (match_.not_protocol)
            rest.is_not.insert(*match_.not_protocol);
        out.push_back(std::move(rest));
        return out;
    }

    void add(const PacketKind& kind) {
        std::vector<Matches> rules{protocol_of(kind)};
        if (!add_icmp(kind, rules.front()))
            return;
        for (const bool source : {true, false}) {
            const EndMatch& end = source ? match_.source : match_.destination;
            add_sets(end, source, rules.front());
            add_not_ports(kind, end, source, rules.front());
        }
        for (const bool source : {true, false})
            rules = with_ports(kind, source, rules);
        out_.insert(out_.end(), rules.begin(), rules.end());
    }

    static Matches protocol_of(const PacketKind& kind) {
        if (kind.is)
            return {iptables::ProtocolIs{false, *kind.is}};
        Matches out;
        for (const net::Protocol each : kind.is_not)
            if (out.empty())
                out.push_back(iptables::ProtocolIs{true, each});
            else
                out.push_back(iptables::NotFlowProtocol{each});
        return out;
    }

    /// Whether a packet of this kind can fit at all.
    bool add_icmp(const PacketKind& kind, Matches& to) const {
        const bool is_icmp = kind.is == icmp_;
        if (match_.icmp && !is_icmp)
            return false;
        for (const auto* each : {&match_.icmp, &match_.not_icmp}) {
            if (!*each || !is_icmp)
                continue;
            const bool negated = each == &match_.not_icmp;
            const auto& [type, code] = **each;
            if (type)
                to.push_back(iptables::IcmpIs{negated, v6_, *type, code});
            else if (code)
                throw std::logic_error("iptables can't ask for a code of any type");
            else if (negated)
                return false;
        }
        return true;
    }

    void add_set(decision::PredicateId id, bool negated, bool source, Matches& to) const {
        NamedSet set = set_of_(id);
        to.push_back(iptables::InSet{negated, std::move(set.name), source, set.pair});
    }

    void add_sets(const EndMatch& end, bool source, Matches& to) const {
        const auto& [all, none, ports, not_ports] = end;
        for (const decision::PredicateId id : all)
            add_set(id, false, source, to);
        for (const decision::PredicateId id : none)
            add_set(id, true, source, to);
    }

    /// What has no ports has none of these.
    void add_not_ports(const PacketKind& kind, const EndMatch& end, bool source,
                       Matches& to) const {
        if (!end.not_ports || !kind.is || !net::has_ports(*kind.is))
            return;
        for (auto& lot : lots_of(end.not_ports->numbers))
            to.push_back(iptables::PortIn{true, source, std::move(lot)});
        for (const decision::PredicateId id : end.not_ports->named)
            add_set(id, true, source, to);
    }

    /// Each rule once for each lot of ports and each set of named ports.
    std::vector<Matches> with_ports(const PacketKind& kind, bool source,
                                    const std::vector<Matches>& rules) const {
        const auto& ports = (source ? match_.source : match_.destination).ports;
        if (!ports)
            return rules;
        std::vector<Matches> out;
        if (!kind.is || !net::has_ports(*kind.is))
            return out;
        for (const Matches& rule : rules) {
            for (auto& lot : lots_of(ports->numbers)) {
                out.push_back(rule);
                out.back().push_back(iptables::PortIn{false, source, std::move(lot)});
            }
            for (const decision::PredicateId id : ports->named) {
                out.push_back(rule);
                add_set(id, false, source, out.back());
            }
        }
        return out;
    }

    const decision::Match& match_;
    bool v6_;
    net::Protocol icmp_;
    const SetOf& set_of_;
    std::vector<Matches> out_;
};

} // namespace

std::vector<std::vector<Match>> filter_rules(const decision::Match& match, net::Family family,
                                             const SetOf& set_of) {
    return RuleMaker(match, family, set_of).run();
}

} // namespace polecat::iptables
