/// What becomes of a packet that goes through rules of iptables, without a kernel.
#pragma once

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "artefact/iptables/ruleset.h"

namespace polecat::testing {

struct WalkedFlow {
    std::string in, out; ///< interfaces; empty: the host itself
    net::Address source, destination;
    net::Protocol protocol = net::kUdp;
    std::uint16_t source_port = 0, destination_port = 0;
};

/// A packet on its way through tables of one family. It opens its flow, or goes on with it.
class Walk {
  public:
    Walk(const iptables::Ruleset& rules, const WalkedFlow& flow, std::uint32_t mark)
        : rules_(rules), table_(rules.table(flow.source.family)), flow_(flow), mark_(mark) {}

    bool passes() {
        if (flow_.in.empty())
            return at(iptables::In::Raw, "polecat-raw-out", "", flow_.out) &&
                   at(iptables::In::Mangle, "polecat-output", "", flow_.out) &&
                   at(iptables::In::Mangle, "polecat-leaving", "", flow_.out);
        if (!at(iptables::In::Raw, "polecat-raw-in", flow_.in, "") ||
            !at(iptables::In::Mangle, "polecat-early", flow_.in, ""))
            return false;
        return flow_.out.empty()
                   ? at(iptables::In::Filter, "polecat-input", flow_.in, "")
                   : at(iptables::In::Filter, "polecat-forward", flow_.in, flow_.out) &&
                         at(iptables::In::Mangle, "polecat-leaving", "", flow_.out);
    }
    std::uint32_t mark() const { return mark_; }

  private:
    enum class End : std::uint8_t { Returns, Accepts, Drops };

    bool at(iptables::In in, const char* hooked, const std::string& from, const std::string& to) {
        in_ = from;
        out_ = to;
        return table_.find(hooked, in) == nullptr || run(in, hooked) != End::Drops;
    }

    End run(iptables::In in, const std::string& name) {
        const iptables::Chain* const chain = table_.find(name, in);
        if (chain == nullptr)
            FAIL("there is no chain " << name);
        for (const iptables::Rule& rule : chain->rules) {
            if (!std::all_of(rule.matches.begin(), rule.matches.end(), [&](const auto& match) {
                    return std::visit([&](const auto& each) { return fits(each); }, match);
                }))
                continue;
            switch (rule.target.kind) {
            case iptables::Target::Kind::Accept:
                return End::Accepts;
            case iptables::Target::Kind::Drop:
                return End::Drops;
            case iptables::Target::Kind::Return:
                return End::Returns;
            case iptables::Target::Kind::Goto:
                return run(in, rule.target.name);
            case iptables::Target::Kind::Jump:
                if (const End end = run(in, rule.target.name); end != End::Returns)
                    return end;
                break;
            case iptables::Target::Kind::SetFlowMark:
                set_mark(0x5fff0000, value_of(rule.target.mark));
                break;
            case iptables::Target::Kind::SetFlowBit:
            case iptables::Target::Kind::ClearFlowBit:
                set_mark(bit_of(rule.target.bit),
                         rule.target.kind == iptables::Target::Kind::SetFlowBit
                             ? bit_of(rule.target.bit)
                             : 0);
                break;
            case iptables::Target::Kind::NoTrack:
                untracked_ = true;
                break;
            case iptables::Target::Kind::Log:
                break;
            }
        }
        return End::Returns;
    }

    void set_mark(std::uint32_t mask, std::uint32_t value) {
        if (!untracked_)
            mark_ = (mark_ & ~mask) | value;
    }
    static std::uint32_t value_of(const iptables::FlowMark& mark) {
        return std::uint32_t{mark.generation.value()} << 16 | (mark.denied ? 0x10000000 : 0);
    }
    static std::uint32_t bit_of(iptables::FlowBit bit) {
        return bit == iptables::FlowBit::Early     ? 1U << 31
               : bit == iptables::FlowBit::Leaving ? 1U << 30
                                                   : 1U << 29;
    }

    bool fits(const iptables::AddressIs& m) const {
        return m.nets.contains(m.source ? flow_.source : flow_.destination);
    }
    bool fits(const iptables::InterfaceIs& m) const {
        const std::string& is = m.incoming ? in_ : out_;
        return m.name.ends_with('+') ? is.starts_with(m.name.substr(0, m.name.size() - 1))
                                     : is == m.name;
    }
    bool fits(const iptables::ProtocolIs& m) const {
        return (m.protocol == flow_.protocol) != m.negated;
    }
    bool fits(const iptables::NotFlowProtocol& m) const { return m.protocol != flow_.protocol; }
    bool fits(const iptables::PortIn& m) const {
        const std::uint16_t port = m.source ? flow_.source_port : flow_.destination_port;
        return std::any_of(m.ports.begin(), m.ports.end(), [&](const net::PortRange& each) {
                   return each.first <= port && port <= each.last;
               }) != m.negated;
    }
    bool fits(const iptables::IcmpIs&) const { return false; }
    bool fits(const iptables::InSet& m) const {
        const iptables::Set* const set = rules_.find_set(m.set);
        if (set == nullptr)
            FAIL("there is no set " << m.set);
        const net::Address& address = m.source ? flow_.source : flow_.destination;
        const std::uint16_t port = m.source ? flow_.source_port : flow_.destination_port;
        return std::any_of(set->members.begin(), set->members.end(), [&](const auto& each) {
                   return each.nets.contains(address) &&
                          (set->type != iptables::Set::Type::AddressPorts ||
                           (each.protocol == flow_.protocol && each.port == port)) &&
                          (set->type != iptables::Set::Type::NetInterfaces ||
                           each.interface == (m.source ? in_ : out_));
               }) != m.negated;
    }
    bool fits(const iptables::FlowState& m) const { return m.untracked && untracked_; }
    bool fits(const iptables::IsReply&) const { return false; }
    bool fits(const iptables::FlowMarkIs& m) const {
        return !untracked_ && (mark_ & 0x5fff0000) == value_of(m.mark);
    }
    bool fits(const iptables::FlowBitIs& m) const {
        return !untracked_ && (mark_ & bit_of(m.bit)) != 0;
    }
    bool fits(const iptables::PinnedSays&) const { return false; }

    const iptables::Ruleset& rules_;
    const iptables::Table& table_;
    const WalkedFlow& flow_;
    std::uint32_t mark_;
    std::string in_, out_;
    bool untracked_ = false;
};

} // namespace polecat::testing
