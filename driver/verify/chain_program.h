/// A program as chains of iptables have it, read rule by rule as the kernel does. For
/// driver/verify/chain_rules.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/iptables/ruleset.h"
#include "driver/verify/differences.h"
#include "ir/decision/flow.h"

namespace polecat::driver {

/// Where a program comes in, and what its rules mean there.
struct ChainProgram {
    const iptables::Ruleset* rules = nullptr;
    net::Family family = net::Family::V4;
    iptables::In table = iptables::In::Filter;
    std::string chain;
    std::string allows; ///< the chain that is gone to where a rule allows; empty: it returns
    bool reply = false; ///< asked of packets that answer the flow
};

/// What becomes of a packet that a rule matches.
enum class ChainEnd : std::uint8_t { GoesOn, Allowed, Returns, Denied, Elsewhere };
/// Throws ProvedRules::Unsaid where a rule does something else, or what it asks is no program's.
ChainEnd end_of_rule(const ChainProgram& program, const iptables::Rule& rule);

/// Of this chain. Throws Unsaid where it is not there.
const std::vector<iptables::Rule>& rules_of_chain(const ChainProgram& program,
                                                  std::string_view chain);
/// That a packet may come to, from the first on; throws Unsaid where they lead in a circle.
std::vector<std::string> chains_of(const ChainProgram& program);
/// That its rules ask of a flow's source, or of its destination.
std::set<std::string> sets_asked(const ChainProgram& program, bool source);
/// Of the program's family and of the form in which it is asked; throws Unsaid.
const iptables::Set& set_asked(const ChainProgram& program, const iptables::InSet& match);

/// Which end of the flow a match asks that says so of the packet.
inline bool of_source(const ChainProgram& program, bool packet_source) {
    return packet_source != program.reply;
}
/// The type that the flow's own packet has where this one has `type`.
std::uint8_t icmp_type_of_flow(const ChainProgram& program, std::uint8_t type);
/// `--icmp-type 255` is any type.
inline bool is_any_type(const iptables::IcmpIs& match) {
    return !match.v6 && match.type == 255;
}

Decided decided_by_chains(const ChainProgram& program, const decision::Flow& flow);

} // namespace polecat::driver
